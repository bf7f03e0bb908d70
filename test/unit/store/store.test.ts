import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type Envelope, internalEnvelope, type Outcome } from '#message';
import { openStore, type QueuedMessage, type QueueStore, serialOf, type StoredRecipient } from '#store';

function envelope(sender: string): Envelope {
  return {
    ...internalEnvelope(sender, 1_000_000, 'mail'),
    messageId: '<m@example.com>',
  };
}

async function textOf(message: Pick<QueuedMessage, 'content'>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const chunk of message.content.chunks()) parts.push(chunk);
  return Buffer.concat(parts).toString('latin1');
}

function recipientsOf({ recipients }: Pick<QueuedMessage, 'recipients'>): readonly StoredRecipient[] {
  return [...recipients.all()].flat();
}

const deferred: Outcome = { index: 0, kind: 'deferred', status: { code: '4.4.1', reason: 'refused' } };

describe('the queue store', () => {
  let directory = '';
  let store: QueueStore;
  let warnings: string[] = [];
  const open = (longQueueIds = false): Promise<QueueStore> =>
    openStore({ directory, longQueueIds, warn: (text) => warnings.push(text) });

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'posthorn-store-'));
    warnings = [];
    store = await open();
  });
  afterEach(async () => {
    await store.close();
    rmSync(directory, { recursive: true });
  });

  async function put(text: string, queue: 'incoming' | 'hold' = 'incoming', addresses = ['a@example.com']) {
    const writer = store.begin(1_000_000.123);
    const content = Buffer.from(text);
    await writer.write(content);
    await writer.commit({
      envelope: envelope('s@example.com'),
      recipients: addresses.map((address) => ({ address, original: address, dsnOriginal: '', notify: [] })),
      queue,
      headerBytes: 0,
      sizeBytes: content.length,
    });
    return writer.queueId;
  }
  const queueOf = async (queueId: string): Promise<string | undefined> => (await store.find(queueId))?.queue;
  const damage = (sql: string): void => {
    const database = new DatabaseSync(join(directory, 'posthorn.db'));
    database.exec(sql);
    database.close();
  };

  /** As many messages more, in the same queue. */
  const multiply = (queueId: string, count: number): void =>
    damage(`INSERT INTO messages (serial, id, queue, holder, due, size, content_bytes, header_bytes, envelope, recipients, crc)
      WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count})
      SELECT 2000000 + n, id || n, queue, 0, 0, 0, 0, 0, envelope, recipients, crc FROM messages, numbers WHERE id = '${queueId}'`);

  it('keeps a committed message in incoming, whole', async () => {
    const id = await put('Subject: x\r\n\r\nbody\r\n');
    const found = await store.find(id);
    assert.equal(found?.queue, 'incoming');
    assert.ok(found !== undefined);
    assert.equal(await textOf(found), 'Subject: x\r\n\r\nbody\r\n');
    assert.equal(found.envelope.messageId, '<m@example.com>');
  });

  it('hands a committed message over as active, or leaves it in incoming when nobody takes it', async () => {
    const seen: string[] = [];
    store.onQueued((message) => {
      seen.push(message.queueId);
      return seen.length === 1;
    });
    const first = await put('one');
    const second = await put('two');
    assert.deepEqual(seen, [first, second]);
    assert.equal(await queueOf(first), 'active');
    assert.equal(await queueOf(second), 'incoming');
  });

  it('claims incoming messages and deferred ones that are due, once', async () => {
    const id = await put('x');
    assert.deepEqual(
      (await store.claim('incoming', 2_000_000, 10)).map((message) => message.queueId),
      [id],
    );
    assert.equal((await store.claim('incoming', 2_000_000, 10)).length, 0);
    await store.settle({ queueId: id, outcomes: [deferred], next: { kind: 'deferred', dueAt: 3_000_000 } });
    assert.equal((await store.find(id))?.dueAt, 3_000_000);
    assert.equal((await store.claim('deferred', 2_999_999, 10)).length, 0);
    const [again] = await store.claim('deferred', 3_000_000, 10);
    assert.ok(again !== undefined);
    const [recipient] = recipientsOf(again);
    assert.equal(recipient?.lastOutcome?.status.reason, 'refused');
    assert.equal(recipient.state, 'pending');
    assert.equal(await textOf(again), 'x');
  });

  it('has an index for each queue that messages are claimed from', () => {
    const database = new DatabaseSync(join(directory, 'posthorn.db'));
    for (const [name, number] of [
      ['incoming', 0],
      ['deferred', 2],
      ['maildrop', 5],
    ] as const) {
      const claim = `SELECT serial FROM messages WHERE queue = ${number} AND due <= 1 ORDER BY due LIMIT 1`;
      const [step] = database.prepare(`EXPLAIN QUERY PLAN ${claim}`).all();
      assert.match(String(step?.['detail']), new RegExp(`USING (COVERING )?INDEX ${name} `));
    }
    database.close();
  });

  it('claims incoming messages also when the clock was put back', async () => {
    const id = await put('x');
    const [message] = await store.claim('incoming', 0, 10);
    assert.equal(message?.queueId, id);
  });

  it('settles to gone and deferred', async () => {
    const ids = [await put('1'), await put('2')];
    const [first = '', second = ''] = ids;
    await store.claim('incoming', 2_000_000, 10);
    await store.settle({ queueId: first, outcomes: [], next: { kind: 'gone' } });
    await store.settle({ queueId: second, outcomes: [], next: { kind: 'deferred', dueAt: 1 } });
    assert.deepEqual(await Promise.all(ids.map(queueOf)), [undefined, 'deferred']);
  });

  it('remembers delivered recipients while the message stays active', async () => {
    const id = await put('x', 'incoming', ['a@example.com', 'b@example.com']);
    await store.claim('incoming', 2_000_000, 10);
    const sent: Outcome = { index: 1, kind: 'sent', status: { code: '2.0.0', reason: 'ok' } };
    await store.settle({ queueId: id, outcomes: [sent] });
    await store.releaseLeases('mine');
    const [message] = await store.claim('incoming', 2_000_000, 10);
    assert.ok(message !== undefined);
    assert.deepEqual(
      recipientsOf(message).map((recipient) => recipient.state),
      ['pending', 'done'],
    );
  });

  it('takes over what another process had in work when that one has ended', async () => {
    await put('x');
    await store.close();
    const script = `import(process.argv[2]).then(async ({ openStore }) => {
      const store = await openStore({ directory: process.argv[1], longQueueIds: false, warn: () => undefined });
      const claimed = await store.claim('incoming', 2_000_000, 10);
      process.stdout.write(String(claimed.length));
      setInterval(() => undefined, 1000);
    });`;
    const child = spawn(process.execPath, ['-e', script, directory, import.meta.resolve('#store')], {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 20_000,
    });
    const [claimed]: unknown[] = await once(child.stdout, 'data');
    assert.equal(String(claimed), '1');
    store = await open();
    assert.equal(await store.releaseLeases('dead'), 0);
    assert.equal((await store.claim('incoming', 2_000_000, 10)).length, 0);
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.equal(await store.releaseLeases('dead'), 1);
    assert.equal((await store.claim('incoming', 2_000_000, 10)).length, 1);
  });

  it('gives active messages back to incoming when the store is opened after a crash or a stop', async () => {
    const id = await put('x');
    await store.claim('incoming', 2_000_000, 10);
    await store.close();
    store = await open();
    assert.equal(await queueOf(id), 'incoming');
  });

  it('finds what stands active under a number that nobody has', async () => {
    const id = await put('x');
    damage('UPDATE messages SET queue = 1, holder = 12345');
    assert.equal(await store.releaseLeases('dead'), 1);
    assert.equal(await queueOf(id), 'incoming');
  });

  it('takes nothing under its lease once it is being closed', async () => {
    const [first] = [await put('1'), await put('2')];
    store.onQueued(() => true);
    const other = await open();
    const before = put('taken before').catch(String);
    await setImmediate();
    const closing = store.close();
    const late = await Promise.allSettled([
      store.claim('incoming', 2_000_000, 10),
      store.claimById([first]),
      put('late'),
      put('x'.repeat(300_000)),
    ]);
    await closing;
    assert.deepEqual(
      late.map((result) => (result.status === 'rejected' ? String(result.reason) : result.status)),
      Array.from({ length: 4 }, () => 'Error: the queue is being closed'),
    );
    assert.match(await before, /^[0-9A-F]+$/);
    assert.equal((await other.claim('incoming', 2_000_000, 10)).length, 3);
    await other.close();
    store = await open();
  });

  it('leaves the messages of a living holder alone', async () => {
    const id = await put('x');
    await store.claim('incoming', 2_000_000, 10);
    const other = await open();
    assert.equal((await other.find(id))?.queue, 'active');
    await other.close();
    assert.equal(await queueOf(id), 'active');
  });

  it('gives the message first that has waited longest', async () => {
    const ids = [await put('a'), await put('b'), await put('c')];
    await store.claim('incoming', 2_000_000, 10);
    for (const [place, queueId] of ids.entries())
      await store.settle({ queueId, outcomes: [deferred], next: { kind: 'deferred', dueAt: [2, 3, 1][place] ?? 0 } });
    const claimed = await store.claim('deferred', 2_000_000, 10);
    assert.deepEqual(
      claimed.map(({ dueAt }) => dueAt),
      [1, 2, 3],
    );
  });

  it('counts as on hold what goes there when its delivery has ended, and releases it', async () => {
    const [byId, byQueue] = [await put('x'), await put('y')];
    await store.claim('incoming', 2_000_000, 10);
    await store.hold({});
    assert.deepEqual(await store.hold({ queues: ['incoming', 'active', 'deferred'] }), []);
    assert.deepEqual(await store.release({ queueIds: [byId], queues: ['hold'] }), [byId]);
    assert.deepEqual(await store.release({ queues: ['hold'] }), [byQueue]);
    assert.deepEqual(await store.release({}), []);
    for (const queueId of [byId, byQueue]) {
      assert.equal(await queueOf(queueId), 'active');
      await store.settle({ queueId, outcomes: [deferred], next: { kind: 'deferred', dueAt: 1 } });
      assert.equal(await queueOf(queueId), 'deferred');
    }
  });

  it('lists what goes on hold or to maildrop after its delivery where commands find it', async () => {
    const [held, requeued] = [await put('x'), await put('y')];
    await store.claim('incoming', 2_000_000, 10);
    await store.hold({ queueIds: [held] });
    await store.requeue({ queueIds: [requeued] });
    const queues = async (...queueIds: readonly string[]): Promise<readonly string[]> =>
      (await Array.fromAsync(store.list(queueIds.length === 0 ? {} : { queueIds }))).map(({ queue }) => queue);
    assert.deepEqual(await queues(), ['hold', 'maildrop']);
    assert.deepEqual(await queues(requeued, held), ['maildrop', 'hold']);
    assert.deepEqual(await Array.fromAsync(store.list({ queues: ['active'] })), []);
    // as in Postfix, what was requeued stays so
    assert.deepEqual(await store.hold({}), []);
    await store.putBack(requeued);
    assert.equal(await queueOf(requeued), 'maildrop');
  });

  it('holds an active message when its delivery has ended', async () => {
    const id = await put('x');
    await store.claim('incoming', 2_000_000, 10);
    assert.deepEqual(await store.hold({ queueIds: [id] }), [id]);
    assert.equal(await queueOf(id), 'active');
    await store.settle({ queueId: id, outcomes: [deferred], next: { kind: 'deferred', dueAt: 1 } });
    assert.equal(await queueOf(id), 'hold');
    assert.deepEqual(await store.release({ queues: ['hold'] }), [id]);
    assert.equal(await queueOf(id), 'deferred');
    assert.equal((await store.find(id))?.dueAt, 1);
  });

  it('removes messages, and marks them for forced expiry', async () => {
    const [first, second] = [await put('1'), await put('2')];
    assert.deepEqual(await store.expire({ queueIds: [second, 'FFFFF999999'] }), [second]);
    assert.equal((await store.find(second))?.forcedExpire, true);
    assert.deepEqual(await store.remove({ queueIds: [first] }), [first]);
    assert.equal(await store.find(first), undefined);
  });

  it('makes deferred messages due, all or those that wait for a site', async () => {
    const [first, second] = [await put('1'), await put('2')];
    await store.claim('incoming', 2_000_000, 10);
    const next = { kind: 'deferred', dueAt: 9_000_000 } as const;
    await store.settle({ queueId: first, outcomes: [], next });
    await store.settle({ queueId: second, outcomes: [], next, sites: ['third.example', 'other.example'] });
    assert.equal(await store.makeDue(5, { site: 'None.example' }), 0);
    assert.equal(await store.makeDue(5, { site: 'Other.example' }), 1);
    assert.deepEqual(
      (await store.claim('deferred', 5, 10)).map((message) => message.queueId),
      [second],
    );
    assert.equal(await store.makeDue(6), 1);
  });

  it('forgets the sites of a message that is gone, and those it waits for no more', async () => {
    const [first, second] = [await put('1'), await put('2')];
    await store.claim('incoming', 2_000_000, 10);
    const next = { kind: 'deferred', dueAt: 7 } as const;
    const known = (): number => {
      const database = new DatabaseSync(join(directory, 'posthorn.db'), { readOnly: true });
      const count = Number(database.prepare('SELECT count(*) AS count FROM sites').get()?.['count']);
      database.close();
      return count;
    };
    for (const queueId of [first, second]) await store.settle({ queueId, outcomes: [], next, sites: ['a.example'] });
    assert.equal(known(), 2);
    await store.claim('deferred', 10, 10);
    await store.settle({ queueId: first, outcomes: [], next: { kind: 'gone' } });
    await store.settle({ queueId: second, outcomes: [], next, sites: ['b.example'] });
    assert.equal(known(), 1);
    assert.equal(await store.makeDue(5, { site: 'a.example' }), 0);
    await store.remove({ queueIds: [second] });
    assert.equal(known(), 0);
  });

  it('streams a large message and gives it back in order', async () => {
    const writer = store.begin(1_000_000);
    const chunk = Buffer.alloc(100_000, 'abcdefghij');
    for (let i = 0; i < 30; i += 1) await writer.write(Buffer.from(chunk));
    await writer.commit({
      envelope: envelope(''),
      recipients: [{ address: 'a@example.com', original: '', dsnOriginal: '', notify: [] }],
      queue: 'hold',
      headerBytes: 0,
      sizeBytes: 3_000_000,
    });
    const found = await store.find(writer.queueId);
    assert.ok(found !== undefined);
    assert.ok((await textOf(found)) === 'abcdefghij'.repeat(300_000));
  });

  it('leaves what a process takes that comes while leases of a dead one are released', async () => {
    const id = await put('x');
    damage("INSERT INTO holders VALUES (77, 99999999, 'long ago')");
    const releasing = store.releaseLeases('dead');
    damage("INSERT INTO holders VALUES (78, 1, 'now'); UPDATE messages SET queue = 1, holder = 78");
    assert.equal(await releasing, 0);
    assert.equal(await queueOf(id), 'active');
  });

  const contentParts = (): unknown => {
    const database = new DatabaseSync(join(directory, 'posthorn.db'));
    const parts = database.prepare('SELECT count(*) AS n FROM contents').get()?.['n'];
    database.close();
    return parts;
  };
  const writeWithoutCommit = async (): Promise<void> => {
    const writer = store.begin(1_000_000);
    for (let i = 0; i < 12; i += 1) await writer.write(Buffer.alloc(100_000));
    // by then what was asked for before has been done
    await put('');
  };
  const sweep = async (): Promise<void> => {
    damage('UPDATE holders SET pid = 4194304');
    const other = await open();
    await other.close();
  };

  it('sweeps content whose message was never committed when its process is gone', async () => {
    await writeWithoutCommit();
    await put('after');
    assert.equal(contentParts(), 5);
    await sweep();
    assert.equal(contentParts(), 1);
  });

  it('sweeps it also when its first part found no room', async () => {
    damage(`CREATE TRIGGER broken BEFORE INSERT ON contents WHEN NEW.key % ${2 ** 20} = 0
      BEGIN SELECT RAISE(ABORT, 'broken'); END`);
    await writeWithoutCommit();
    damage('DROP TRIGGER broken');
    assert.equal(contentParts(), 3);
    await sweep();
    assert.equal(contentParts(), 0);
  });

  it('sets a message with a damaged envelope aside and claims the others', async () => {
    const [first, second] = [await put('1'), await put('2')];
    damage(`UPDATE messages SET recipients = replace(recipients, 'a@', 'z@') WHERE id = '${first}'`);
    const claimed = await store.claim('incoming', 2_000_000, 10);
    assert.deepEqual(
      claimed.map((message) => message.queueId),
      [second],
    );
    assert.match(warnings[0] ?? '', new RegExp(`saving corrupt file "${first}".*damaged`));
    assert.deepEqual(await store.remove({ queues: ['corrupt'] }), [first]);
  });

  it('sets a message with damaged content aside when its delivery has failed over it', async () => {
    const id = await put('good content');
    damage(`UPDATE contents SET data = CAST('evil content' AS BLOB)`);
    const [message] = await store.claim('incoming', 2_000_000, 10);
    assert.ok(message !== undefined);
    await assert.rejects(textOf(message), /checksum/);
    await store.settle({ queueId: id, outcomes: [deferred], next: { kind: 'deferred', dueAt: 5 } });
    assert.equal(await queueOf(id), 'corrupt');
  });

  it('calls no message damaged that was deleted during its delivery', async () => {
    const id = await put('x'.repeat(300_000));
    const [message] = await store.claim('incoming', 2_000_000, 10);
    assert.ok(message !== undefined);
    await store.remove({ queueIds: [id] });
    await assert.rejects(textOf(message), /the message was deleted/);
    await store.settle({ queueId: id, outcomes: [deferred], next: { kind: 'deferred', dueAt: 5 } });
    assert.deepEqual(warnings, []);
  });

  it('keeps no part of a message that could not be committed', async () => {
    damage("CREATE TRIGGER broken BEFORE INSERT ON messages BEGIN SELECT RAISE(ABORT, 'broken'); END");
    await assert.rejects(put('x'.repeat(300_000)), /broken/);
    damage('DROP TRIGGER broken');
    // by then what was asked for before has been done
    await put('another one');
    const database = new DatabaseSync(join(directory, 'posthorn.db'));
    const count = (table: string): unknown => database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n'];
    assert.deepEqual([count('contents'), count('arriving')], [1, 0]);
    database.close();
  });

  const damagePages = (first: number, last: number): void => {
    const path = join(directory, 'posthorn.db');
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(7, first * 8192, last * 8192));
  };
  for (const [what, first, last] of [
    ['whose first page is gone', 0, 1],
    ['whose trees have lost their roots', 1, 9],
  ] as const) {
    it(`saves the messages of a database ${what}, and keeps the damaged file`, async () => {
      const large = 'x'.repeat(300_000);
      const done = await put('to be delivered before');
      await store.claimById([done]);
      const ids = [await put('small'), await put(large)];
      for (let i = 0; i < 50; i += 1) ids.push(await put(`${i} `.repeat(2000)));
      await store.settle({ queueId: done, outcomes: [], next: { kind: 'gone' } });
      await store.close();
      damagePages(first, last);
      store = await open();
      const listed: string[] = [];
      for await (const message of store.list()) listed.push(message.queueId);
      const found = await store.find(ids[1] ?? '');
      assert.ok(listed.length > 40 && !listed.includes(done));
      assert.ok(found !== undefined && (await textOf(found)) === large);
      assert.match(warnings.join(), /posthorn\.db is damaged/);
      assert.equal(readdirSync(join(directory, 'corrupt')).length, 1);
      assert.ok(!ids.includes(await put('new')));
    });
  }

  it('loses nothing that one process commits while another makes the file anew', async () => {
    const first = await put('x', 'hold');
    multiply(first, 20_000);
    await store.close();
    const middle = Math.floor(statSync(join(directory, 'posthorn.db')).size / 8192 / 2);
    damagePages(middle, middle + 2);
    // too large for a check as a whole: the damage is found by who reads it
    store = await open();
    const other = await open();
    let isSalvaged = false;
    const salvaged = Array.fromAsync(other.list()).finally(() => (isSalvaged = true));
    const accepted: string[] = [];
    while (!isSalvaged) {
      const id = await put('new', 'hold').catch(() => undefined);
      if (id !== undefined) accepted.push(id);
      await setImmediate();
    }
    await salvaged;
    assert.match(warnings.join(), /posthorn\.db is damaged/);
    const kept = await Promise.all(accepted.map((id) => other.find(id)));
    assert.deepEqual(
      accepted.filter((_, i) => kept[i] === undefined),
      [],
    );
    await other.close();
  });

  for (const size of [10, 1000, 4000, 8100, 8120, 8130, 8140, 8150, 9000, 30_000]) {
    it(`loses nothing but a message of ${size} bytes to damage of a page that begins with it`, async () => {
      const ids: string[] = [];
      for (let i = 0; i < 12; i += 1) ids.push(await put(i === 5 ? `VICTIM${'v'.repeat(size)}` : `${i}`.repeat(size)));
      await store.close();
      const path = join(directory, 'posthorn.db');
      const bytes = readFileSync(path);
      // what is next on the page, and not what is on the next page
      const at = bytes.indexOf('VICTIM');
      const end = Math.ceil(at / 8192) * 8192;
      writeFileSync(path, bytes.fill(7, at, end));
      store = await open();
      const others = ids.filter((_, i) => i !== 5);
      const claimed = await store.claim('incoming', 2_000_000, 20);
      const whole: string[] = [];
      for (const message of claimed) {
        const text = await textOf(message).catch(() => '');
        if (text.length > 0) whole.push(message.queueId);
      }
      assert.deepEqual(whole, others);
    });
  }

  it('requeues waiting messages at once, and active ones when their delivery has ended', async () => {
    const waiting = await put('waiting');
    const active = await put('active');
    await store.claimById([active]);
    assert.deepEqual(await store.requeue({}), [waiting, active]);
    assert.equal(await queueOf(waiting), 'maildrop');
    assert.equal(await queueOf(active), 'active');
    await store.settle({ queueId: active, outcomes: [deferred], next: { kind: 'deferred', dueAt: 9_000_000 } });
    assert.equal(await queueOf(active), 'maildrop');
    const claimed = await store.claim('maildrop', 2_000_000, 10);
    assert.deepEqual(
      claimed.map((message) => message.queueId),
      [waiting, active],
    );
  });

  it('lists a long queue without holding up anybody', async () => {
    await Promise.all(Array.from({ length: 150 }, () => put('x', 'hold')));
    let hasWorked = false;
    void setImmediate().then(() => (hasWorked = true));
    let listed = 0;
    for await (const message of store.list()) if (message.queue === 'hold') listed += 1;
    assert.equal(listed, 150);
    assert.ok(hasWorked);
  });

  it('finds few messages among many without holding up anybody', async () => {
    multiply(await put('x', 'hold'), 10_000);
    const few = await put('the last');
    let turns = 0;
    const countTurns = async (): Promise<void> => {
      for (;;) {
        await setImmediate(undefined, { signal: counting.signal });
        turns += 1;
      }
    };
    const counting = new AbortController();
    const counted = countTurns().catch(() => undefined);
    assert.equal((await Array.fromAsync(store.list({ queues: ['incoming', 'active'] })))[0]?.queueId, few);
    assert.ok(turns >= 5, `listed in ${turns} turns`);
    turns = 0;
    assert.deepEqual(await store.expire({ queues: ['active'] }), []);
    assert.ok(turns >= 5, `named in ${turns} turns`);
    counting.abort();
    await counted;
  });

  it('changes a long queue a part at a time, without what comes meanwhile', async () => {
    await Promise.all(Array.from({ length: 1100 }, () => put('x', 'hold')));
    const late = put('late', 'hold').then(() => put('later', 'hold'));
    assert.equal((await store.release({ queues: ['hold'] })).length, 1100);
    assert.equal((await store.remove({ queueIds: [await late] })).length, 1);
  });

  it('gives what was to be requeued back to maildrop when its claimer stops, dies or finds it damaged', async () => {
    const id = await put('waiting');
    await store.requeue({});
    await store.claim('maildrop', 2_000_000, 10);
    await store.releaseLeases('mine');
    assert.equal(await queueOf(id), 'maildrop');
    await store.claim('maildrop', 2_000_000, 10);
    damage("UPDATE holders SET started = 'long ago'");
    const other = await open();
    assert.equal((await other.find(id))?.queue, 'maildrop');
    await other.close();
    damage("UPDATE messages SET recipients = replace(recipients, 'a@', 'z@')");
    assert.deepEqual(await store.claim('maildrop', 2_000_000, 10), []);
    assert.deepEqual(await store.remove({ queues: ['corrupt'] }), [id]);
  });

  it('puts back what could not be requeued, and sets it aside when it is damaged', async () => {
    const ids = [await put('good content'), await put('other content')];
    await store.requeue({});
    damage("UPDATE contents SET data = CAST('evil content' AS BLOB) WHERE length(data) = 12");
    for (const message of await store.claim('maildrop', 2_000_000, 10)) {
      await textOf(message).catch(() => undefined);
      await store.putBack(message.queueId);
    }
    assert.deepEqual(await Promise.all(ids.map(queueOf)), ['corrupt', 'maildrop']);
    assert.match(warnings.join(), new RegExp(`^saving corrupt file "${ids[0]}" from queue "maildrop"`));
  });

  it('requeues at once what was put off for long', async () => {
    const id = await put('put off');
    await store.claimById([id]);
    await store.settle({ queueId: id, outcomes: [deferred], next: { kind: 'deferred', dueAt: 9_000_000 } });
    await store.requeue({ queueIds: [id] });
    assert.equal((await store.claim('maildrop', 2_000_000, 10))[0]?.queueId, id);
  });

  it('finds waiting messages by an index', () => {
    const database = new DatabaseSync(join(directory, 'posthorn.db'));
    const plan = (sql: string): string => JSON.stringify(database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all());
    assert.match(
      plan('SELECT serial FROM messages WHERE queue = 2 AND due <= 5 ORDER BY due LIMIT 9'),
      /INDEX deferred/,
    );
    assert.match(
      plan('SELECT serial FROM messages WHERE queue = 0 AND due <= 5 ORDER BY due LIMIT 9'),
      /INDEX incoming/,
    );
    assert.match(plan('SELECT min(due) FROM messages WHERE queue = 2'), /INDEX deferred/);
    assert.match(plan('SELECT serial FROM messages WHERE queue = 1 AND holder NOT IN (3, 4)'), /INDEX leased/);
    database.close();
  });

  it('makes short and long queue IDs that it finds again', async () => {
    assert.match(await put('x'), /^[0-9A-F]{10,12}$/);
    await store.close();
    store = await open(true);
    const id = await put('x');
    assert.match(id, /^[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-y]{10,}z[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-y]+$/);
    assert.ok(serialOf(id) !== undefined);
    assert.equal(await queueOf(id), 'incoming');
  });
});
