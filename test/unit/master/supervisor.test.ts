import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { MailEvent } from '#events';
import { Supervisor } from '#master';

/** A mail process that has no mail: it says that it listens, and ends when it is told to. */
const mailProcess = `
import { Socket } from 'node:net';
const channel = new Socket({ fd: 4, readable: true, writable: true });
channel.on('data', (bytes) => /stop|drain/.test(bytes) && process.exit(0));
channel.on('error', () => undefined);
channel.write('{"kind":"ready"}\\n');
`;

describe('the supervisor of a broken machine', () => {
  const base = mkdtempSync(join(tmpdir(), 'supervisor-'));
  const seen: MailEvent[] = [];
  let supervisor: Supervisor;
  let isBroken = false;
  let onEvent = (_event: MailEvent): void => undefined;

  const texts = (kind: string): readonly string[] =>
    seen.flatMap((event) => (event.kind === kind && 'text' in event ? [event.text] : []));

  function create(): Supervisor {
    return new Supervisor({
      directory: base,
      entry: [join(base, 'mail.mjs')],
      version: '1',
      owner: undefined,
      logFd: () => {
        if (isBroken) throw new Error('Too many open files');
        return undefined;
      },
      reopenLog: () => [],
      events: {
        emit: (event) => {
          seen.push(event);
          onEvent(event);
        },
      },
      spawnEvents: { emit: () => undefined },
      flushLog: () => undefined,
    });
  }

  before(() => {
    mkdirSync(join(base, 'pid'));
    writeFileSync(join(base, 'mail.mjs'), mailProcess);
    writeFileSync(join(base, 'main.cf'), `queue_directory = ${base}\ndata_directory = ${base}\n`);
    writeFileSync(join(base, 'master.cf'), '');
  });
  beforeEach(() => {
    seen.length = 0;
  });
  after(async () => {
    await supervisor.stop(15);
    rmSync(base, { recursive: true });
  });

  it('says why it can not start, and leaves nothing locked', async () => {
    isBroken = true;
    supervisor = create();
    assert.deepEqual(await supervisor.start(), ['Too many open files']);
    assert.deepEqual(texts('panic'), ['Too many open files']);
    isBroken = false;
    supervisor = create();
    assert.deepEqual(await supervisor.start(), []);
  });

  it('goes on with the old configuration when a reload fails for another reason than the new one', async () => {
    isBroken = true;
    const refused = 'reload refused, the old configuration stays: Too many open files';
    assert.deepEqual(await supervisor.reload(), [refused]);
    assert.deepEqual([texts('panic'), texts('error')], [[refused], []]);
    assert.match(seen.flatMap((event) => (event.kind === 'panic' ? [event.stack] : [])).join(), /supervisor\.test/);
    isBroken = false;
    assert.deepEqual(await supervisor.reload(), []);
    assert.ok(seen.some(({ kind }) => kind === 'reloaded'));
  });

  it('stays when what has died can not be started anew', async () => {
    const failed = Promise.withResolvers<string>();
    onEvent = (event) => {
      if (event.kind === 'processEnded') isBroken = true;
      if (event.kind === 'fatal') failed.resolve(event.text);
    };
    writeFileSync(join(base, 'mail.mjs'), `${mailProcess}setTimeout(() => process.exit(1), 50);`);
    assert.deepEqual(await supervisor.reload(), []);
    assert.equal(await failed.promise, 'Too many open files');
    isBroken = false;
    writeFileSync(join(base, 'mail.mjs'), mailProcess);
    assert.deepEqual(await supervisor.reload(), []);
  });

  it('kills a mail process that sends what is no message, and goes on with another', async () => {
    const sent = [
      '{"cmd":"NODE_HANDLE_ACK"}\n',
      '{"cmd":"NODE_HANDLE","type":"net.Socket","msg":{}}\n',
      '{"broken\n',
      'null\n',
      '{"kind":"startDeliverer","id":1,"uid":-1,"gid":1.5}\n',
      'x'.repeat(200_000),
    ];
    for (const text of sent) {
      seen.length = 0;
      const ended = Promise.withResolvers<string>();
      onEvent = (event) => {
        if (event.kind === 'processEnded') ended.resolve(event.status);
      };
      writeFileSync(
        join(base, 'mail.mjs'),
        `${mailProcess}channel.write(${JSON.stringify(text)});setInterval(() => 0, 1000);`,
      );
      assert.deepEqual(await supervisor.reload(), []);
      assert.equal(await ended.promise, 'killed by signal 9');
      assert.deepEqual(texts('error'), ['the mail process is killed: it sent what is no message']);
    }
    writeFileSync(join(base, 'mail.mjs'), mailProcess);
    assert.deepEqual(await supervisor.reload(), []);
  });

  it('kills a mail process that asks and does not listen', async () => {
    const ended = Promise.withResolvers<string>();
    onEvent = (event) => {
      if (event.kind === 'processEnded') ended.resolve(event.status);
    };
    const asks = `
      const question = '{"kind":"startDeliverer","id":1,"uid":5,"gid":0}\\n'.repeat(1000);
      const ask = () => channel.write(question, ask);
      channel.pause();
      ask();`;
    writeFileSync(join(base, 'mail.mjs'), mailProcess.replace(/.*on\('data'.*/, '') + asks);
    assert.deepEqual(await supervisor.reload(), []);
    assert.equal(await ended.promise, 'killed by signal 9');
    assert.deepEqual(texts('error'), ['the mail process is killed: it does not read what it is told']);
    writeFileSync(join(base, 'mail.mjs'), mailProcess);
    assert.deepEqual(await supervisor.reload(), []);
  });
});
