import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import type { LogLine } from '../../../src/roles/control-request.ts';
import { startControlServer } from '../../../src/roles/control-server.ts';
import { Scene } from '../../support/queue-scene.ts';

describe('the control socket', () => {
  const queueDirectory = mkdtempSync(join(tmpdir(), 'control-'));
  let scene: Scene;
  let server: { close(): void };
  const logged: LogLine[] = [];

  before(async () => {
    for (const place of ['public', 'private']) mkdirSync(join(queueDirectory, place));
    scene = await Scene.open('defer_transports = smtp\n');
    server = await startControlServer({
      queueDirectory,
      store: scene.store,
      qmgr: scene.manager,
      requeuer: { run: () => Promise.resolve(), stop: () => Promise.resolve() },
      flushSite: () => Promise.resolve(false),
      refusedUser: () => Promise.resolve(undefined),
      events: { emit: () => undefined },
      writeLog: (line) => void logged.push(line),
    });
  });
  after(async () => {
    server.close();
    await scene.close();
    rmSync(queueDirectory, { recursive: true });
  });

  function ask(place: string, ...pieces: readonly string[]): Promise<string> {
    const socket = connect(join(queueDirectory, place, 'control'));
    // an answer may come before all was said
    socket.on('error', () => undefined);
    for (const piece of pieces) socket.write(piece);
    return text(socket);
  }

  it('answers a request that comes in pieces', async () => {
    const id = await scene.send(['a@one.example']);
    await scene.until(async () => (await scene.stateOf(id)) === 'deferred');
    const [first = '', last] = (await ask('public', '{"operation":', '"list"}', '\n')).trim().split('\n');
    assert.ok(first.includes(id));
    assert.equal(last, '{"ok":true}');
  });

  it('takes a long line from root only', async () => {
    const blanks = ' '.repeat(70_000);
    assert.match(await ask('public', blanks), /request too long/);
    assert.match(await ask('private', blanks, '{"operation":"flush"}\n'), /"ok":true/);
  });

  it('has nothing started of what is deleted', async () => {
    const withdrawn: string[] = [];
    const withdraw = scene.manager.withdraw.bind(scene.manager);
    scene.manager.withdraw = (ids, why) => {
      withdrawn.push(...ids.map((id) => `${id} ${why}`));
      return withdraw(ids, why);
    };
    const kept = await scene.send(['a@one.example'], {}, 'hold');
    const deleted = await scene.send(['b@one.example'], {}, 'hold');
    const say = (operation: string, id: string): Promise<string> =>
      ask('private', `${JSON.stringify({ operation, queueIds: [id] })}\n`);
    assert.match(await say('expire', kept), new RegExp(kept));
    assert.match(await say('remove', deleted), new RegExp(deleted));
    assert.deepEqual(withdrawn, [`${deleted} deleted`]);
  });

  it('has room for who asks beside a hundred that do not, or do not hang up', async () => {
    const path = join(queueDirectory, 'public/control');
    const idle = Array.from({ length: 100 }, () => connect({ path, allowHalfOpen: true }));
    for (const socket of idle) socket.on('error', () => undefined);
    await Promise.all(idle.map((socket) => once(socket, 'connect')));
    assert.match(await ask('public', '{"operation":"status"}\n'), /"ok":true/);
    for (const socket of idle) socket.write('{"operation":"status"}\n');
    await Promise.all(idle.slice(1).map((socket) => once(socket, 'data')));
    assert.match(await ask('public', '{"operation":"status"}\n'), /"ok":true/);
    for (const socket of idle) socket.destroy();
  });

  it('refuses what is no request', async () => {
    assert.match(await ask('public', 'hello\n'), /bad request/);
  });

  it('writes a line to the log for whoever may not, and no line that makes no sense', async () => {
    const line = { tag: 'postfix/postlog', pid: 7, kind: 'warning', text: 'hello' } as const;
    assert.equal(await ask('public', `${JSON.stringify({ operation: 'log', line })}\n`), '{"ok":true}\n');
    assert.match(await ask('public', '{"operation":"log","line":{"kind":"script"}}\n'), /"ok":false/);
    assert.deepEqual(logged, [line]);
  });
});
