import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { internalEnvelope, type Outcome, type Recipient } from '#message';
import { openStore, type QueuedMessage, type QueueStore, type StoredRecipient } from '#store';
import { rowChecksum } from '../../../src/store/sqlite/checksums.ts';

const total = 1201;
const addressOf = (index: number): string => `user${index}@example.com`;
const recipients: readonly Recipient[] = Array.from({ length: total }, (_, index) => ({
  address: addressOf(index),
  original: '',
  dsnOriginal: '',
  notify: [],
}));
const outcome = (index: number, kind: Outcome['kind'], reason = 'said so'): Outcome => ({
  index,
  kind,
  status: { code: '5.0.0', reason },
});

function listed({ recipients: list }: Pick<QueuedMessage, 'recipients'>): readonly StoredRecipient[] {
  return [...list.all()].flat();
}

describe('recipients in parts', () => {
  let directory = '';
  let store: QueueStore;
  let warnings: string[] = [];
  const open = (): Promise<QueueStore> =>
    openStore({ directory, longQueueIds: false, warn: (text) => warnings.push(text) });
  const inDatabase = <T>(use: (database: DatabaseSync) => T): T => {
    const database = new DatabaseSync(join(directory, 'posthorn.db'));
    try {
      return use(database);
    } finally {
      database.close();
    }
  };
  const count = (table: string): unknown =>
    inDatabase((database) => database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']);

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'posthorn-store-'));
    warnings = [];
    store = await open();
  });
  afterEach(async () => {
    await store.close();
    rmSync(directory, { recursive: true });
  });

  async function put(lists: readonly (readonly Recipient[])[], { forgets = false } = {}): Promise<string> {
    const writer = store.begin(1_000_000);
    for (const list of lists.slice(0, -1)) await writer.addRecipients(list);
    if (forgets) writer.forgetRecipients();
    await writer.write(Buffer.from('Subject: x\r\n\r\n'));
    await writer.commit({
      envelope: { ...internalEnvelope('s@example.com', 1_000_000, 'mail'), messageId: '' },
      recipients: lists.at(-1) ?? [],
      queue: 'incoming',
      headerBytes: 0,
      sizeBytes: 14,
    });
    return writer.queueId;
  }

  async function claim(): Promise<QueuedMessage> {
    const [message] = await store.claim('incoming', 2_000_000, 1);
    assert.ok(message !== undefined);
    return message;
  }

  it('come back as they were given, in order, however they were added', async () => {
    for (const cuts of [[0], [1], [500], [501], [1000], [1200], [100, 700], [500, 1000]]) {
      const edges = [0, ...cuts, total];
      await put(edges.slice(1).map((edge, i) => recipients.slice(edges[i], edge)));
      const message = await claim();
      assert.equal(message.recipients.total, total);
      assert.equal(message.recipients.pendingCount, total);
      assert.deepEqual(
        listed(message).map(({ address, index }) => [address, index]),
        recipients.map(({ address }, index) => [address, index]),
      );
      await store.settle({ queueId: message.queueId, outcomes: [], next: { kind: 'gone' } });
    }
    for (const table of ['messages', 'contents', 'progress', 'arriving']) assert.equal(count(table), 0, table);
  });

  it('stand in the row of their message when they are few', async () => {
    await put([recipients.slice(0, 300), recipients.slice(300, 500)]);
    const message = await claim();
    assert.equal(message.recipients.isInParts, false);
    assert.equal(listed(message).length, 500);
    assert.equal(count('contents'), 1);
  });

  it('are none of those that were forgotten', async () => {
    await put([recipients, recipients.slice(0, 1)], { forgets: true });
    const message = await claim();
    assert.deepEqual(
      listed(message).map(({ address }) => address),
      [addressOf(0)],
    );
    await store.settle({ queueId: message.queueId, outcomes: [], next: { kind: 'gone' } });
    for (const table of ['messages', 'contents', 'arriving']) assert.equal(count(table), 0, table);
  });

  it('are swept with content that was never committed', async () => {
    await store.begin(1_000_000).addRecipients(recipients);
    await store.begin(1_000_000).addRecipients(recipients);
    await store.close();
    store = await open();
    for (const table of ['contents', 'arriving']) assert.equal(count(table), 0, table);
  });

  it('have outcomes as soon as they are settled, which outlive the process', async () => {
    const queueId = await put([recipients]);
    await claim();
    const outcomes = [outcome(3, 'deferred', 'full'), outcome(700, 'bounced', 'nobody')];
    await store.settle({ queueId, outcomes, done: [0, 499, 500, 1200] });
    await store.close();
    store = await open();
    const message = await claim();
    assert.equal(message.recipients.pendingCount, total - 5);
    const stored = listed(message);
    const done = stored.filter(({ state }) => state === 'done').map(({ index }) => index);
    assert.deepEqual(done, [0, 499, 500, 700, 1200]);
    assert.deepEqual(
      [...message.recipients.withOutcomes()].flat().flatMap(({ lastOutcome }) => lastOutcome ?? []),
      outcomes,
    );
  });

  it('are read again only where one is pending', async () => {
    const queueId = await put([recipients]);
    await claim();
    const done = Array.from({ length: 500 }, (_, i) => 500 + i);
    await store.settle({ queueId, outcomes: [], done, next: { kind: 'deferred', dueAt: 1 } });
    const [message] = await store.claim('deferred', 2_000_000, 1);
    assert.deepEqual(
      [...(message?.recipients.withPending() ?? [])].map((part) => part[0]?.index),
      [0, 1000],
    );
  });

  it('leave nothing when their message is deleted while it is worked on', async () => {
    const queueId = await put([recipients]);
    const message = await claim();
    const parts = message.recipients.withPending()[Symbol.iterator]();
    parts.next();
    await store.remove({ queueIds: [queueId] });
    assert.throws(() => parts.next(), /deleted/);
    await store.settle({ queueId, outcomes: [], done: [1], next: { kind: 'deferred', dueAt: 1 } });
    assert.deepEqual(warnings, []);
    for (const table of ['messages', 'contents', 'progress']) assert.equal(count(table), 0, table);
  });

  it('set the message aside where a part is damaged or missing', async () => {
    for (const sql of [
      "UPDATE contents SET data = CAST('[]' AS BLOB) WHERE key % 1048576 = 524289",
      'DELETE FROM contents WHERE key % 1048576 = 524289',
    ]) {
      const queueId = await put([recipients]);
      const message = await claim();
      inDatabase((database) => database.exec(sql));
      assert.throws(() => listed(message), /recipients are (damaged|missing)/);
      await store.settle({ queueId, outcomes: [], next: { kind: 'deferred', dueAt: 1 } });
      assert.equal((await store.find(queueId))?.queue, 'corrupt');
      assert.match(warnings.at(-1) ?? '', /saving corrupt file/);
    }
  });

  it('set the message aside where it cannot be told who is done', async () => {
    const queueId = await put([recipients]);
    await claim();
    await store.settle({ queueId, outcomes: [], done: [1], next: { kind: 'deferred', dueAt: 1 } });
    inDatabase((database) => database.exec("UPDATE progress SET done = x'ffff'"));
    assert.equal((await store.claim('deferred', 2_000_000, 1)).length, 0);
    assert.match(warnings.at(-1) ?? '', /recipients are damaged/);
    await assert.rejects(store.find(queueId), /recipients are damaged/);
  });

  it('are made of the rows of an earlier version, and a later version is refused', async () => {
    const id = await put([recipients.slice(0, 1)]);
    await store.close();
    inDatabase((database) => {
      const envelope = String(database.prepare('SELECT envelope FROM messages').get()?.['envelope']);
      const text = JSON.stringify(recipients);
      const outcomes = JSON.stringify([outcome(2, 'deferred', 'full'), outcome(600, 'sent'), outcome(601, 'bounced')]);
      database.exec('PRAGMA user_version = 0');
      database
        .prepare('UPDATE messages SET recipients = ?, outcomes = ?, crc = ?')
        .run(text, outcomes, rowChecksum(envelope, text));
    });
    store = await open();
    const message = await claim();
    assert.equal(message.queueId, id);
    assert.ok(message.recipients.isInParts);
    const stored = listed(message);
    assert.deepEqual(
      stored.map(({ address }) => address),
      recipients.map(({ address }) => address),
    );
    assert.equal(message.recipients.pendingCount, total - 2);
    assert.deepEqual(
      stored.flatMap(({ lastOutcome }) => lastOutcome ?? []),
      [outcome(2, 'deferred', 'full')],
    );
    inDatabase((database) => database.exec('PRAGMA user_version = 99'));
    await assert.rejects(open(), /later version/);
    inDatabase((database) => database.exec('PRAGMA user_version = 1'));
  });

  it('are saved with their progress when the database is made anew', async () => {
    const queueId = await put([recipients]);
    await claim();
    await store.settle({ queueId, outcomes: [outcome(3, 'deferred', 'full')], done: [500] });
    await store.close();
    inDatabase((database) => database.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
    // the tree of `holders` leads nowhere
    inDatabase((database) => {
      database.enableDefensive(false);
      database.exec("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 999999 WHERE name = 'holders'");
    });
    store = await open();
    assert.match(warnings.join('\n'), /saved/);
    assert.ok(readdirSync(join(directory, 'corrupt')).length > 0);
    const message = await claim();
    assert.equal(message.recipients.pendingCount, total - 1);
    assert.equal(listed(message)[3]?.lastOutcome?.status.reason, 'full');
  });
});
