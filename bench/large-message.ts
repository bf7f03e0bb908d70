/**
 * What a message of many recipients costs the queue manager, and how long small messages wait that come meanwhile.
 * Deliveries take 5 ms and go to nobody. Run: node_modules/.bin/node bench/large-message.ts [recipients] [sent|deferred]
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { loadConfiguration } from '#config';
import type { MailEvent } from '#events';
import { type DeliveryAgent, internalEnvelope, type Outcome, type Recipient } from '#message';
import { createQueueManager, InFlow } from '#qmgr';
import { openStore } from '#store';

const recipients = Number(process.argv[2] ?? 100_000);
const kind: Outcome['kind'] = process.argv[3] === 'deferred' ? 'deferred' : 'sent';
const smallMessages = 50;
/** Recipients given to the store at once. */
const loadSize = 500;
const directory = mkdtempSync(join(tmpdir(), 'posthorn-bench-'));
writeFileSync(join(directory, 'main.cf'), 'compatibility_level = 3.6\nmyhostname = mail.example.com\n');
writeFileSync(join(directory, 'master.cf'), 'smtp unix - - n - 100 smtp\n');

const sentAt = new Map<string, number>();
const waits: number[] = [];
const agent: DeliveryAgent = {
  async deliver(request, report) {
    const begun = sentAt.get(request.queueId);
    if (begun !== undefined) waits.push(performance.now() - begun);
    await setTimeout(5);
    const status = kind === 'sent' ? { code: '2.0.0', reason: '250 Ok' } : { code: '4.4.1', reason: 'timed out' };
    for (const { index } of request.recipients) report({ index, kind, status, relay: 'mx.example[192.0.2.1]:25' });
    return {};
  },
};
const events = {
  emit(event: MailEvent): void {
    if (event.kind === 'warning') console.error(event.text);
  },
};
const store = await openStore({ directory, longQueueIds: false, warn: console.error });
const manager = createQueueManager({
  store,
  agents: new Map([['smtp', agent]]),
  processLimit: () => 100,
  inFlow: new InFlow(100),
  resolve: (_sender, recipient) => ({
    kind: 'resolved',
    addressClass: 'default',
    transport: 'smtp',
    nexthop: recipient.slice(recipient.indexOf('@') + 1),
    recipient,
    routed: false,
  }),
  bouncer: { notify: () => Promise.resolve({ ok: true }) },
  settings: loadConfiguration(directory).settings,
  events,
  errorEvents: events,
  now: () => Date.now(),
});

async function send(count: number, addressOf: (i: number) => string, isSmall: boolean): Promise<void> {
  const writer = store.begin(Date.now());
  await writer.write(Buffer.from('Subject: x\r\n\r\n'));
  if (isSmall) sentAt.set(writer.queueId, performance.now());
  const load = (from: number, size: number): readonly Recipient[] =>
    Array.from({ length: Math.min(size, count - from) }, (_, i) => {
      return { address: addressOf(from + i), original: '', dsnOriginal: '', notify: [] };
    });
  let given = 0;
  for (; count - given > loadSize; given += loadSize) {
    await writer.addRecipients(load(given, loadSize));
    await setImmediate();
  }
  await writer.commit({
    envelope: { ...internalEnvelope('sender@example.net', Date.now(), 'mail'), messageId: '' },
    recipients: load(given, loadSize),
    queue: 'incoming',
    headerBytes: 10,
    sizeBytes: 12,
  });
}

let mostMemory = 0;
let longestTurnMs = 0;
let lastAt = performance.now();
const watch = setInterval(() => {
  const now = performance.now();
  longestTurnMs = Math.max(longestTurnMs, now - lastAt - 20);
  lastAt = now;
  mostMemory = Math.max(mostMemory, process.memoryUsage().rss);
}, 20);
manager.start();
const startedAt = performance.now();
const cpuBefore = process.cpuUsage();
await send(recipients, (i) => `user${i}@d${i % 200}.example`, false);
for (let i = 0; i < smallMessages; i += 1) {
  await setTimeout(40);
  await send(1, () => `small${i}@s${i % 5}.example`, true);
}
while (manager.status().active > 0) await setTimeout(20);
const { user, system } = process.cpuUsage(cpuBefore);
clearInterval(watch);
console.log(`${recipients} recipients, ${kind}: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
console.log(`CPU ${((user + system) / 1e6).toFixed(2)} s, memory at most ${Math.round(mostMemory / 1e6)} MB`);
console.log(`longest turn of the event loop ${longestTurnMs.toFixed(0)} ms`);
const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
console.log(`small messages waited ${mean.toFixed(1)} ms on average, ${Math.max(...waits).toFixed(0)} ms at most`);
await manager.stop(1000);
await store.close();
rmSync(directory, { recursive: true });
