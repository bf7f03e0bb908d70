import assert from 'node:assert/strict';
import { type Duplex, duplexPair } from 'node:stream';
import { describe, it } from 'node:test';
import { createProcessPool, serveDeliverer } from '#delivery';
import { answerLimits, FrameReader, requestLimits } from '../../../src/delivery/deliverer-frames.ts';
import { emptyCopy } from '../../../src/delivery/shaped-copy.ts';
import { endedWell } from './workbench.ts';

/** `claimed`: what the head says of the lengths, where it lies. */
function frame(text: string, claimed: { readonly json?: number; readonly content?: number } = {}): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(claimed.json ?? Buffer.byteLength(text), 0);
  head.writeUInt32BE(claimed.content ?? 0, 4);
  return Buffer.concat([head, Buffer.from(text)]);
}

const answered = (result: unknown, id = 1): Buffer => frame(JSON.stringify({ id, result }));
const file = {
  kind: 'file',
  path: '/f',
  bytes: 'member',
  facts: { uid: 5, mode: 0o644, isRegular: true },
};

/** What becomes of a request when the process writes `bytes`, and how often it was killed for it. */
async function said(bytes: Buffer, copy = emptyCopy): Promise<readonly [text: string, killed: number]> {
  const [ours, theirs] = duplexPair();
  let killed = 0;
  const kill = (stream: Duplex): void => void (killed += stream === ours ? 1 : 0);
  const pool = createProcessPool(() => Promise.resolve(ours), { watchdog: { limitMs: 60_000, kill } });
  theirs.once('data', () => theirs.write(bytes));
  const result = await pool.run(5, 5, { kind: 'see', path: '/' }, copy);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(ours.destroyed, killed > 0);
  pool.close();
  return [result.kind === 'failed' ? `${result.code} ${result.reason}` : result.kind, killed];
}

const givenUp = ['4.3.0 the delivery process answered nonsense', 1];

describe('a deliverer that its user has taken over', () => {
  it('is given up when it writes what is no JSON', async () => {
    assert.deepEqual(await said(frame('not!')), givenUp);
    assert.deepEqual(await said(Buffer.alloc(8)), givenUp);
  });

  it('is given up at the head of a frame that is too long', async () => {
    assert.deepEqual(await said(frame('', { json: answerLimits.json + 1 })), givenUp);
    assert.deepEqual(await said(frame('{"id":1', { json: 7, content: answerLimits.content + 1 })), givenUp);
    const longest = JSON.stringify({ id: 1, result: { kind: 'missing' } }).padEnd(answerLimits.json);
    assert.deepEqual(await said(frame(longest)), ['missing', 0]);
  });

  it('is given up for any answer that is none', async () => {
    for (const nonsense of [
      null,
      [],
      'ok',
      {},
      { kind: 'constructor' },
      { kind: 'ok', warnings: [{ toString: 1 }] },
      { kind: 'ok', warnings: [], offset: 1e300 },
      { kind: 'failed', code: '2.0.0', reason: '', warnings: [] },
      { kind: 'failed', code: '4.3.0\n', reason: '', warnings: [] },
      { ...endedWell, status: '0' },
      { ...endedWell, signal: -1 },
      { ...endedWell, output: null },
      { ...file, facts: undefined },
      { ...file, facts: { ...file.facts, uid: 2 ** 32 } },
      { ...file, facts: { ...file.facts, uid: 0.5 } },
      { ...file, more: { from: 0, stamp: '' } },
      { ...file, bytes: 'x'.repeat(65_536), more: { from: -1, stamp: '' } },
      { kind: 'unreadable', path: '/f' },
    ])
      assert.deepEqual(await said(answered(nonsense)), givenUp, JSON.stringify(nonsense));
    for (const text of ['1', '{}', '{"id":"1","want":true}', '{"id":1,"result":"ok"}'])
      assert.deepEqual(await said(frame(text)), givenUp, text);
    for (const honest of [
      file,
      endedWell,
      { ...endedWell, status: undefined, signal: 9 },
      { kind: 'ok', warnings: ['w'] },
    ])
      assert.deepEqual(await said(answered(honest)), [honest.kind, 0]);
  });

  it('is given up when it asks for content that there is none of, or not yet', async () => {
    const want = frame('{"id":1,"want":true}');
    const answer = answered({ kind: 'ok', warnings: [] });
    const copyOf = (count: number): typeof emptyCopy => ({
      ...emptyCopy,
      content: Array.from({ length: count }, () => Buffer.alloc(65_536)),
    });
    assert.deepEqual(await said(Buffer.concat([want, answer]), copyOf(1)), givenUp);
    assert.deepEqual(await said(Buffer.concat([want, want, answer]), copyOf(3)), givenUp);
    assert.deepEqual(await said(Buffer.concat([want, answer]), copyOf(2)), ['ok', 0]);
  });
});

describe('the frames of a deliverer', () => {
  it('are the same however they are cut', () => {
    const content = Buffer.from('content');
    const bytes = Buffer.concat([
      frame('{"id":1}', { content: content.length }),
      content,
      frame('2'),
      frame('[3]', { content: 1 }),
      Buffer.from('c'),
    ]);
    const expected = [
      [{ id: 1 }, 'content'],
      [2, ''],
      [[3], 'c'],
    ];
    for (let size = 1; size <= bytes.length; size += 1) {
      const reader = new FrameReader(requestLimits);
      const read: unknown[] = [];
      for (let at = 0; at < bytes.length; at += size)
        for (const { json, content: had } of reader.push(bytes.subarray(at, at + size)) ?? [])
          read.push([json, String(had)]);
      assert.deepEqual(read, expected, `${size} bytes at a time`);
    }
  });

  it('end the deliverer when they are malformed', async () => {
    for (const bytes of [frame('not!'), frame('', { json: requestLimits.json + 1 })]) {
      const [ours, theirs] = duplexPair();
      const served = serveDeliverer(theirs);
      ours.write(bytes);
      await served;
      assert.ok(theirs.destroyed);
    }
  });
});
