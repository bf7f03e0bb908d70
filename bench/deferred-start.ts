/**
 * What a long queue costs at start: writes deferred messages into a queue directory, then opens it as the mail system
 * does and measures until the store is open, until the first scan is over, and a listing.
 * Run: node_modules/.bin/node bench/deferred-start.ts [messages] [directory, kept when given]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Envelope, internalEnvelope } from '#message';
import { openStore } from '#store';

const total = Number(process.argv[2] ?? 100_000);
const given = process.argv[3];
const directory = given ?? mkdtempSync(join(tmpdir(), 'posthorn-deferred-'));
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
const arrivedAt = Date.now();
const envelope: Envelope = {
  ...internalEnvelope('sender@example.net', arrivedAt, 'mail'),
  client,
  logClient: client,
  messageId: '<1@example.net>',
};
const options = { directory, longQueueIds: false, warn: console.error };

async function fill(): Promise<void> {
  const store = await openStore(options);
  const body = Buffer.from(`Subject: waiting\r\n\r\n${'x'.repeat(2000)}\r\n`);
  const writeOne = async (i: number): Promise<void> => {
    const address = `user${i}@domain${i % 1000}.example`;
    const writer = store.begin(arrivedAt);
    await writer.write(body);
    const recipients = [{ address, original: address, dsnOriginal: '', notify: [] }];
    await writer.commit({ envelope, recipients, queue: 'incoming', headerBytes: 18, sizeBytes: body.length });
  };
  for (let i = 0; i < total; i += 500)
    await Promise.all(Array.from({ length: Math.min(500, total - i) }, (_, k) => writeOne(i + k)));
  for (;;) {
    const messages = await store.claim('incoming', Date.now(), 500);
    if (messages.length === 0) break;
    const status = { code: '4.4.1', reason: 'connect to mail.example[192.0.2.3]:25: Connection timed out' };
    await Promise.all(
      messages.map(({ queueId }) =>
        store.settle({
          queueId,
          outcomes: [{ index: 0, kind: 'deferred', status }],
          next: { kind: 'deferred', dueAt: arrivedAt + 3_600_000 },
        }),
      ),
    );
  }
  await store.close();
}

const since = (at: number): string => `${Math.round(performance.now() - at)} ms`;
const filledAt = performance.now();
await fill();
console.log(`${total} deferred messages written in ${since(filledAt)}`);
const openedAt = performance.now();
const store = await openStore(options);
console.log(`store open after ${since(openedAt)}`);
await store.claim('incoming', Date.now(), 200);
await store.claim('deferred', Date.now(), 200);
console.log(`first scan over after ${since(openedAt)}`);
const listedAt = performance.now();
let listed = 0;
for await (const _message of store.list()) listed += 1;
console.log(`${listed} messages listed in ${since(listedAt)}`);
await store.close();
if (given === undefined) rmSync(directory, { recursive: true });
