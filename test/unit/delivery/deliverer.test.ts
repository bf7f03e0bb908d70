import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { duplexPair } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { createProcessPool, type DelivererPool, serveDeliverer } from '#delivery';
import { FrameReader, requestLimits } from '../../../src/delivery/deliverer-frames.ts';
import { isNumbered, parseRequest } from '../../../src/delivery/deliverer-protocol.ts';
import { DelivererWork } from '../../../src/delivery/deliverer-work.ts';
import { callsInThreads } from '../../../src/delivery/file-calls.ts';
import { MailboxError } from '../../../src/delivery/mailbox-error.ts';
import { MaildirWriter } from '../../../src/delivery/maildir.ts';
import { emptyCopy, type MailboxCopy } from '../../../src/delivery/shaped-copy.ts';

const locks = { kinds: ['dotlock'], attempts: 1, delayMs: 1, staleMs: 1000 };

async function* chunks(count: number, fails = false): AsyncGenerator<Buffer> {
  for (let i = 0; i < count; i += 1) yield Buffer.from(`${String.fromCharCode(97 + (i % 26)).repeat(99_999)}\n`);
  if (fails) throw new Error('content is damaged');
}

function copyOf(content: AsyncIterable<Buffer>): MailboxCopy {
  return { ...emptyCopy, content };
}

const pieces = (count: number, fails = false): MailboxCopy => copyOf(chunks(count, fails));

describe('a deliverer', () => {
  let directory = '';
  let pool: DelivererPool;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'deliverer-'));
    pool = createProcessPool(() => {
      const [ours, theirs] = duplexPair();
      void serveDeliverer(theirs);
      return Promise.resolve(ours);
    });
  });
  after(() => {
    pool.close();
    rmSync(directory, { recursive: true });
  });
  const toMailbox = { kind: 'mailbox', locks, isFileDestination: false, owner: undefined } as const;

  it('writes content of many pieces to a maildir and to a mailbox', async () => {
    const maildir = { kind: 'maildir', path: join(directory, 'maildir/'), hostname: 'h' } as const;
    const mailbox = { ...toMailbox, path: join(directory, 'mailbox'), sizeLimit: 0 };
    const [first, second] = await Promise.all([
      pool.run(1, 1, maildir, pieces(30)),
      pool.run(1, 1, mailbox, pieces(20)),
    ]);
    assert.deepEqual([first.kind, second.kind], ['ok', 'ok']);
    const [name = ''] = readdirSync(join(directory, 'maildir/new'));
    assert.equal(readFileSync(join(directory, 'maildir/new', name)).length, 3_000_000);
    const written = readFileSync(mailbox.path);
    assert.equal(written.length, 2_000_000);
    assert.equal(written[100_000], 98);
  });

  it('puts a mailbox back when the content can not be read to its end', async () => {
    const mailbox = { ...toMailbox, path: join(directory, 'broken'), sizeLimit: 0 };
    assert.equal((await pool.run(1, 1, mailbox, pieces(2))).kind, 'ok');
    await assert.rejects(pool.run(1, 1, mailbox, pieces(3, true)), /damaged/);
    assert.equal(readFileSync(mailbox.path).length, 200_000);
  });

  it('writes to devices where they are named as files, and to no device in the place of a mailbox', async () => {
    const device = { ...toMailbox, path: '/dev/null', sizeLimit: 0 };
    assert.equal((await pool.run(1, 1, { ...device, isFileDestination: true }, pieces(1))).kind, 'ok');
    assert.deepEqual(await pool.run(1, 1, device, pieces(1)), {
      kind: 'failed',
      code: '',
      reason: 'destination /dev/null is not a regular file',
      warnings: [],
      isNotRegular: true,
    });
  });

  it('tells what a command printed in one line, without control characters', async () => {
    const command = { kind: 'command', shell: '', environment: {}, directory: '', limitMs: 5000 } as const;
    const ended = await pool.run(1, 1, { ...command, command: String.raw`printf 'a\001b\tc\n'; exit 1` }, pieces(0));
    assert.equal('output' in ended && ended.output, 'a_b c ');
  });

  it('tells what a command printed up to the first NUL, bytes that are no text as _', async () => {
    const command = { kind: 'command', shell: '', environment: {}, directory: '', limitMs: 5000 } as const;
    const ended = await pool.run(
      1,
      1,
      { ...command, command: String.raw`printf 'caf\303\251 \377x\000y'; exit 1` },
      pieces(0),
    );
    assert.equal('output' in ended && ended.output, 'café _x');
  });

  it('gives commands pipes that have names, and keeps the order of what they print', async () => {
    const command = { kind: 'command', shell: '', environment: {}, directory: '', limitMs: 5000 } as const;
    const text = 'echo 1; echo 2 >&2; head -c 1 /dev/stdin; echo 3 >/dev/stderr; echo 4 >/dev/stdout; exit 1';
    const ended = await pool.run(1, 1, { ...command, command: text }, pieces(1));
    assert.equal('output' in ended && ended.output, '1 2 a3 4 ');
  });

  it('puts a mailbox back that would grow too large', async () => {
    const mailbox = { ...toMailbox, path: join(directory, 'limited'), sizeLimit: 250_000 };
    assert.equal((await pool.run(1, 1, mailbox, pieces(2))).kind, 'ok');
    const result = await pool.run(1, 1, mailbox, pieces(4));
    assert.deepEqual([result.kind, 'code' in result && result.code], ['failed', '5.2.2']);
    assert.equal(readFileSync(mailbox.path).length, 200_000);
  });

  it('puts a mailbox back when the other side ends before it has sent all', async () => {
    const [ours, theirs] = duplexPair();
    const served = serveDeliverer(theirs);
    const own = createProcessPool(() => Promise.resolve(ours));
    const mailbox = { ...toMailbox, path: join(directory, 'abandoned'), sizeLimit: 0 };
    assert.equal((await own.run(1, 1, mailbox, pieces(2))).kind, 'ok');
    async function* cutOff(): AsyncGenerator<Buffer> {
      yield* chunks(3);
      theirs.destroy();
      ours.destroy();
      yield Buffer.from('never seen');
      yield Buffer.from('either');
    }
    assert.equal((await own.run(1, 1, mailbox, copyOf(cutOff()))).kind, 'failed');
    await served;
    assert.equal(readFileSync(mailbox.path).length, 200_000);
    assert.ok(!existsSync(`${mailbox.path}.lock`));
  });

  it('keeps nothing of a message when nobody can be told that it was written', async () => {
    const abandoned = new AbortController();
    async function* abandonedAtTheEnd(): AsyncGenerator<Buffer> {
      yield* chunks(2);
      abandoned.abort();
    }
    const path = join(directory, 'unheard');
    const mailbox = { ...toMailbox, kind: 'mailbox', path, sizeLimit: 0 } as const;
    const maildir = { kind: 'maildir', path: `${path}.d/`, hostname: 'h' } as const;
    for (const request of [mailbox, maildir])
      assert.equal(
        (await new DelivererWork(callsInThreads).run(request, abandonedAtTheEnd(), abandoned.signal)).kind,
        'failed',
      );
    assert.equal(readFileSync(path).length, 0);
    assert.deepEqual([...readdirSync(`${path}.d/new`), ...readdirSync(`${path}.d/tmp`)], []);
  });

  it('keeps nothing in a maildir of a message that was abandoned while its directory was synced', async () => {
    const path = join(directory, 'late');
    const abandoned = new AbortController();
    let syncs = 0;
    const writer = new MaildirWriter(() => {
      syncs += 1;
      if (syncs === 2) abandoned.abort();
    });
    await assert.rejects(writer.write(`${path}/`, 'h', chunks(1), abandoned.signal), MailboxError);
    assert.equal(syncs, 2);
    assert.deepEqual([...readdirSync(`${path}/new`), ...readdirSync(`${path}/tmp`)], []);
  });

  it('has delivered to a mailbox whose lock somebody took away', async () => {
    const mailbox = { ...toMailbox, path: join(directory, 'unlocked'), sizeLimit: 0 };
    async function* robbed(): AsyncGenerator<Buffer> {
      yield* chunks(2);
      rmSync(`${mailbox.path}.lock`);
      yield* chunks(1);
    }
    assert.equal((await pool.run(1, 1, mailbox, copyOf(robbed()))).kind, 'ok');
  });

  it('leaves a command that is nowhere to the shell', async () => {
    for (const [command, status] of [
      ['nosuchcommand -x', 127],
      ['type cd', 0],
    ] as const) {
      const ended = await pool.run(1, 1, {
        kind: 'command',
        command,
        shell: '',
        environment: {},
        directory: '',
        limitMs: 10_000,
      });
      assert.equal(ended.kind === 'ended' ? ended.status : ended.kind, status, command);
    }
  });

  it('lets a command run that has more time than a timer takes', async () => {
    const limitMs = 30 * 86_400_000;
    const command = {
      kind: 'command',
      command: 'sleep 0.1',
      shell: '',
      environment: {},
      directory: '',
      limitMs,
    } as const;
    const ended = await pool.run(1, 1, command);
    assert.equal(ended.kind === 'ended' && ended.status, 0);
  });

  it('gives content to commands that read all of it, some of it, or nothing', async () => {
    const command = (text: string) =>
      ({ kind: 'command', command: text, shell: '', environment: {}, directory: '', limitMs: 10_000 }) as const;
    const results = await Promise.all([
      pool.run(1, 1, command('wc -c >&2; exit 0'), pieces(30)),
      pool.run(1, 1, command('head -c 10; exit 0'), pieces(30)),
      pool.run(1, 1, command('exit 3'), pieces(30)),
    ]);
    assert.deepEqual(
      results.map((result) => (result.kind === 'ended' ? [result.status, result.output.trim()] : result)),
      [
        [0, '3000000'],
        [0, 'aaaaaaaaaa'],
        [3, ''],
      ],
    );
  });

  it('outlives a process that may not be started, also when its idle time is over', async (context) => {
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const refused = createProcessPool(() => Promise.reject(new Error('delivery as root is refused')));
    const mailbox = { ...toMailbox, path: join(directory, 'none'), sizeLimit: 0 };
    const expected = { kind: 'failed', code: '4.3.0', reason: 'delivery as root is refused' };
    const result = await refused.run(0, 0, mailbox, pieces(2));
    assert.deepEqual({ ...result, ...expected }, result);
    context.mock.timers.tick(60_000);
    await new Promise((resolve) => setImmediate(resolve));
    refused.close();
  });

  it('is killed when it gives no sign of life, and another takes what comes next', async (context) => {
    context.mock.timers.enable({ apis: ['setTimeout'] });
    let started = 0;
    let killed = 0;
    const watchdog = { limitMs: 5000, kill: () => void (killed += 1) };
    const own = createProcessPool(
      () => {
        started += 1;
        const [ours, theirs] = duplexPair();
        // the first one hangs in a system call
        if (started > 1) void serveDeliverer(theirs);
        return Promise.resolve(ours);
      },
      { watchdog },
    );
    const see = { kind: 'see', path: directory } as const;
    const stuck = own.run(1, 1, see);
    await new Promise((resolve) => setImmediate(resolve));
    context.mock.timers.tick(5000);
    const reason = 'no sign of life from the delivery process for 5s';
    assert.deepEqual(await stuck, { kind: 'failed', code: '4.3.0', reason, warnings: [] });
    assert.equal((await own.run(1, 1, see)).kind, 'ok');
    assert.deepEqual([started, killed], [2, 1]);
    own.close();
  });

  it('gets help with maildirs once it has not kept up for some time', async () => {
    const asked: string[][] = [];
    let nowMs = 1000;
    const own = createProcessPool(
      () => {
        const kinds: string[] = [];
        asked.push(kinds);
        const [ours, theirs] = duplexPair();
        const reader = new FrameReader(requestLimits);
        theirs.on('data', (chunk: Buffer) => {
          for (const { json } of reader.push(chunk) ?? [])
            if (isNumbered(json)) kinds.push(parseRequest(json['request'])?.kind ?? '');
        });
        return Promise.resolve(ours);
      },
      { now: () => nowMs },
    );
    const ask = (count: number, kind: 'maildir' | 'mailbox'): void => {
      const maildir = { kind: 'maildir', path: join(directory, 'busy/'), hostname: 'h' } as const;
      const mailbox = { ...toMailbox, path: join(directory, 'busy-mailbox'), sizeLimit: 0 };
      for (let i = 0; i < count; i += 1) void own.run(1, 1, kind === 'maildir' ? maildir : mailbox);
    };
    ask(12, 'maildir');
    nowMs += 200;
    ask(1, 'maildir');
    assert.equal(asked.length, 1);
    nowMs += 100;
    ask(1, 'maildir');
    await new Promise((resolve) => setImmediate(resolve));
    ask(4, 'maildir');
    ask(2, 'mailbox');
    while (asked.flat().length < 20) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(
      asked.map((kinds) => [
        kinds.filter((kind) => kind === 'maildir').length,
        kinds.filter((kind) => kind === 'mailbox').length,
      ]),
      [
        [14, 2],
        [4, 0],
      ],
    );
    own.close();
  });

  it('does without help when the system has no process to give, and asks again after some time', async () => {
    let [started, nowMs] = [0, 1000];
    const [ours, theirs] = duplexPair();
    const own = createProcessPool(
      () => {
        started += 1;
        return started === 1 ? Promise.resolve(ours) : Promise.reject(new Error('spawn node EAGAIN'));
      },
      { now: () => nowMs },
    );
    const results: ReturnType<DelivererPool['run']>[] = [];
    const ask = async (): Promise<void> => {
      for (let i = 0; i < 12; i += 1)
        results.push(own.run(1, 1, { kind: 'maildir', path: join(directory, 'helpless/'), hostname: 'h' }));
      await new Promise((resolve) => setImmediate(resolve));
    };
    await ask();
    nowMs += 300;
    await ask();
    await ask();
    assert.equal(started, 2);
    nowMs += 300;
    await ask();
    assert.equal(started, 3);
    void serveDeliverer(theirs);
    for (const { kind } of await Promise.all(results)) assert.equal(kind, 'ok');
    own.close();
  });

  it('does not stay beside twenty others that rest', async () => {
    const ended: number[] = [];
    const own = createProcessPool((uid) => {
      const [ours, theirs] = duplexPair();
      void serveDeliverer(theirs);
      theirs.once('end', () => {
        ended.push(uid);
        theirs.end();
      });
      return Promise.resolve(ours);
    });
    const see = { kind: 'see', path: directory } as const;
    for (let uid = 1; uid <= 20; uid += 1) await own.run(uid, 1, see);
    await own.run(1, 1, see);
    assert.deepEqual(ended, []);
    await own.run(21, 1, see);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(ended, [2]);
    own.close();
  });

  it('is not asked any more once its idle time is over', async (context) => {
    context.mock.timers.enable({ apis: ['setTimeout'] });
    let started = 0;
    const own = createProcessPool(() => {
      started += 1;
      const [ours, theirs] = duplexPair();
      void serveDeliverer(theirs);
      return Promise.resolve(ours);
    });
    const mailbox = { ...toMailbox, path: join(directory, 'after-idling'), sizeLimit: 0 };
    assert.equal((await own.run(1, 1, mailbox, pieces(2))).kind, 'ok');
    context.mock.timers.tick(60_000);
    assert.equal((await own.run(1, 1, mailbox, pieces(2))).kind, 'ok');
    assert.equal(started, 2);
    own.close();
  });
});
