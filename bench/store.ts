/**
 * What the store costs: durable put, hand-over and delete of 10 KiB messages, CPU of all threads.
 * Run: node_modules/.bin/node bench/store.ts [messages] [at once] [directory]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Envelope, internalEnvelope } from '#message';
import { openStore } from '#store';

const total = Number(process.argv[2] ?? 20_000);
const atOnce = Number(process.argv[3] ?? 50);
const directory = mkdtempSync(join(process.argv[4] ?? tmpdir(), 'posthorn-bench-'));
const client = {
  name: 'client.example.net',
  reverseName: 'client.example.net',
  address: '192.0.2.1',
  port: '40000',
  heloName: 'client.example.net',
  protocol: 'ESMTP',
  serverAddress: '192.0.2.2',
  serverPort: '25',
};
const envelope: Envelope = {
  ...internalEnvelope('sender@example.net', Date.now(), 'mail'),
  client,
  logClient: client,
  messageId: '<1@example.net>',
};

const store = await openStore({ directory, longQueueIds: false, warn: console.error });
const deletes: Promise<void>[] = [];
store.onQueued(({ queueId }) => {
  deletes.push(Promise.resolve().then(() => store.settle({ queueId, outcomes: [], next: { kind: 'gone' } })));
  return true;
});
let left = total;
async function oneClient(): Promise<void> {
  while (left > 0) {
    left -= 1;
    const writer = store.begin(Date.now());
    await writer.write(Buffer.alloc(10_240, 'x'));
    await writer.commit({
      envelope,
      recipients: [
        { address: 'recipient@example.com', original: 'recipient@example.com', dsnOriginal: '', notify: [] },
      ],
      queue: 'incoming',
      headerBytes: 200,
      sizeBytes: 10_000,
    });
  }
}
const startedAt = performance.now();
const cpuBefore = process.cpuUsage();
await Promise.all(Array.from({ length: atOnce }, oneClient));
await Promise.all(deletes);
const cpu = process.cpuUsage(cpuBefore);
const seconds = (performance.now() - startedAt) / 1000;
await store.close();
rmSync(directory, { recursive: true });
console.log(
  `${total} messages, ${atOnce} at once: ${Math.round(total / seconds)} messages/s, ` +
    `${((cpu.user + cpu.system) / total).toFixed(1)} µs CPU/message (user ${(cpu.user / total).toFixed(1)}, system ${(cpu.system / total).toFixed(1)})`,
);
