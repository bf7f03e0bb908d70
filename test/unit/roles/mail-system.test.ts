import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { loadConfiguration } from '#config';
import { createLocalPool } from '#delivery';
import { EventLog } from '#events';
import { formatMaildropEnvelope, internalEnvelope } from '#message';
import { openStore } from '#store';
import { startMailSystem } from '../../../src/roles/mail-system.ts';
import { plainEnvelope } from '../message/maildrop-envelope.ts';

const maildropEnvelope = {
  ...plainEnvelope,
  sender: 'a@x.example',
  recipients: [{ address: 'b@x.example', notify: ['never'] as const, dsnOriginal: '' }],
};

describe('the mail system', () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-mail-system-'));
  const queue = join(directory, 'queue');
  const asking: Socket[] = [];
  const tables = createServer((socket) => void asking.push(socket));
  before(async () => {
    tables.listen(0, '127.0.0.1');
    await once(tables, 'listening');
    for (const name of ['', 'public', 'private', 'maildrop', 'maildrop-taken', 'pid', '../data'])
      mkdirSync(join(queue, name), { recursive: true });
    const address = tables.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    writeFileSync(
      join(directory, 'main.cf'),
      `compatibility_level = 3.6
queue_directory = ${queue}
data_directory = ${directory}/data
myhostname = mail.example.com
mydestination =
alias_maps =
default_transport = retry:4.0.0 later
virtual_alias_maps = tcp:127.0.0.1:${port}
`,
    );
    const services = ['pickup', 'cleanup', 'qmgr', 'trivial-rewrite', 'bounce', 'error']
      .map((name) => `${{ 'trivial-rewrite': 'rewrite', error: 'retry' }[name] ?? name} unix n - n - - ${name}\n`)
      .join('');
    writeFileSync(join(directory, 'master.cf'), services);
  });
  after(() => {
    tables.close();
    for (const socket of asking) socket.destroy();
    rmSync(directory, { recursive: true });
  });

  it('leaves what waits to the next generation also while pickup takes its time in a drain', async () => {
    const log = new EventLog([{ write: () => undefined }]);
    const configuration = loadConfiguration(directory);
    const system = await startMailSystem({ configuration, log, listeners: [], deliverers: createLocalPool(0) });
    const path = join(queue, 'maildrop', 'F1');
    writeFileSync(path, `${formatMaildropEnvelope(maildropEnvelope)}Subject: s\n\nbody\n`);
    chmodSync(path, 0o744);
    await once(tables, 'connection');
    const next = await openStore({ directory: queue, longQueueIds: false, warn: () => undefined });
    const drained = system.drain();
    const writer = next.begin(Date.now());
    await writer.commit({
      envelope: { ...internalEnvelope('', Date.now(), 'mail'), messageId: '' },
      recipients: [{ address: 'c@x.example', original: '', dsnOriginal: '', notify: [] }],
      queue: 'incoming',
      headerBytes: 0,
      sizeBytes: 0,
    });
    // what the first would claim has been claimed before the last one ends
    for (let turn = 0; turn < 4; turn += 1) await system.takeOver();
    const answer = (socket: Socket): void => void socket.on('data', () => socket.write('500 none\n'));
    asking.forEach(answer);
    tables.on('connection', answer);
    await drained;
    assert.equal((await next.find(writer.queueId))?.queue, 'incoming');
    await next.close();
  });
});
