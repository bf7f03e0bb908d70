/** What each operation does in the database, one statement after the other; transactions are the writer's business. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { contentChecksum, rowChecksum } from './checksums.ts';
import type { Operation } from './operations.ts';
import { putProgress } from './progress-rows.ts';
import { firstRecipientPart, padBytes, partsPerMessage, queueAsked, queueNumbers } from './schema.ts';

/** Operations that are about rows. */
export type StatementOperation = Exclude<Operation, { readonly kind: 'salvage' }>;

export class Statements {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  #statement(sql: string): StatementSync {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }

  /** Gives the serial numbers that were changed, or what was asked for. */
  run(operation: StatementOperation): readonly number[] {
    switch (operation.kind) {
      case 'put': {
        const { serial, id, queue, holder, due, size, contentBytes, headerBytes, envelope, recipients, content } =
          operation;
        this.#statement(
          'INSERT INTO messages (serial, id, queue, holder, due, size, content_bytes, header_bytes, envelope, recipients, crc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
        ).run(
          serial,
          id,
          queue,
          holder,
          due,
          size,
          contentBytes,
          headerBytes,
          envelope,
          recipients,
          rowChecksum(envelope, recipients),
        );
        if (operation.hasParts) this.#statement('DELETE FROM arriving WHERE serial = ?').run(serial);
        if (content.length > 0) this.#putPart(serial, 0, content);
        return [];
      }
      case 'part':
        // with each of them: the first one may have found no room
        this.#statement('INSERT OR IGNORE INTO arriving (serial, holder) VALUES (?, ?)').run(
          operation.serial,
          operation.holder,
        );
        this.#putPart(operation.serial, operation.part, operation.data);
        return [];
      case 'forgetRecipients':
        this.#deleteParts(operation.serial, firstRecipientPart);
        return [];
      case 'progress':
        putProgress(operation, (sql) => this.#statement(sql));
        return [];
      case 'gone':
        this.#delete(operation.serial, operation.parts);
        if (operation.mayHaveSites) this.#setSites(operation.serial, []);
        return [];
      case 'update':
        return this.#update(operation);
      case 'outcomes':
        // one that waited for a full disk may come after the end of the attempt, which knows more
        this.#statement(`UPDATE messages SET outcomes = ? WHERE serial = ? AND queue = ${queueNumbers.active}`).run(
          operation.outcomes,
          operation.serial,
        );
        return [];
      case 'claim':
        return this.#serials(
          // what was to pass cleanup again does so also when whoever claimed it ends
          `UPDATE messages SET queue = 1, holder = ?, wanted = ${operation.from === 'maildrop' ? 2 : 'wanted'} WHERE serial IN
             (SELECT serial FROM messages WHERE queue = ${queueNumbers[operation.from]} AND due <= ? ORDER BY due LIMIT ?)
             RETURNING serial`,
          // only what is deferred waits for its time: not even a clock that was put back keeps up the rest
          [operation.holder, operation.from === 'deferred' ? operation.now : Number.MAX_SAFE_INTEGER, operation.limit],
        );
      case 'claimSerials':
        return this.#each(
          operation.serials,
          'UPDATE messages SET queue = 1, holder = ? WHERE serial = ? AND queue IN (0, 2) RETURNING serial',
          [operation.holder],
        );
      case 'makeDue':
        return this.#each(
          operation.serials,
          'UPDATE messages SET due = ? WHERE serial = ? AND queue = 2 RETURNING serial',
          [operation.now],
        );
      case 'remove':
        return this.#remove(operation.serials);
      case 'hold':
        return this.#each(
          operation.serials,
          `UPDATE messages SET wanted = (queue = 1), queue = CASE queue WHEN 1 THEN 1 ELSE 3 END
             WHERE serial = ? AND ${queueAsked} IN (0, 1, 2) RETURNING serial`,
          [],
        );
      case 'requeue':
        return this.#each(
          operation.serials,
          `UPDATE messages SET wanted = CASE queue WHEN 1 THEN 2 ELSE 0 END, queue = CASE queue WHEN 1 THEN 1 ELSE 5 END
             WHERE serial = ? AND queue IN (0, 1, 2, 3) RETURNING serial`,
          [],
        );
      case 'release':
        return this.#each(
          operation.serials,
          // its due time stays; a message that is being delivered goes where it would have gone without the hold
          `UPDATE messages SET wanted = 0, queue = CASE queue WHEN 1 THEN 1 ELSE 2 END
             WHERE serial = ? AND ${queueAsked} = ${queueNumbers.hold} RETURNING serial`,
          [],
        );
      case 'expire':
        return this.#each(
          operation.serials,
          'UPDATE messages SET expire = 1 WHERE serial = ? AND expire = 0 RETURNING serial',
          [],
        );
      case 'releaseLeases':
        return this.#serials(
          `UPDATE messages SET queue = CASE wanted WHEN 1 THEN 3 WHEN 2 THEN 5 ELSE 0 END, wanted = 0, holder = 0
             WHERE queue = 1 AND (holder IN (${operation.gone.join(',')}) OR holder NOT IN (SELECT number FROM holders))
             RETURNING serial`,
          [],
        );
      case 'returnLease':
        return this.#serials(
          `UPDATE messages SET queue = CASE WHEN ?1 = ${queueNumbers.corrupt} THEN ?1 WHEN wanted = 1 THEN 3 WHEN wanted = 2 THEN 5 ELSE ?1 END,
             wanted = 0, holder = 0, due = ?
             WHERE serial = ? AND queue = 1 AND holder = ? RETURNING serial`,
          [operation.queue, operation.due, operation.serial, operation.holder],
        );
      case 'register':
        this.#statement('INSERT OR REPLACE INTO holders (number, pid, started) VALUES (?, ?, ?)').run(
          operation.number,
          operation.pid,
          operation.started,
        );
        return [];
      case 'forget':
        for (const number of operation.numbers) this.#statement('DELETE FROM holders WHERE number = ?').run(number);
        return [];
      case 'sweep':
        return this.#sweep();
      case 'returnSerials':
        this.#statement('UPDATE serials SET next = ? WHERE next = ?').run(operation.used, operation.end);
        return [];
      case 'reserveSerials':
        return this.#serials('UPDATE serials SET next = next + ? RETURNING next AS serial', [operation.count]);
    }
  }

  #putPart(serial: number, part: number, data: Uint8Array): void {
    this.#statement('INSERT INTO contents (key, crc, data, pad) VALUES (?, ?, ?, zeroblob(?))').run(
      serial * partsPerMessage + part,
      contentChecksum(data),
      data,
      padBytes(data.length),
    );
  }

  #delete(serial: number, parts: number): void {
    this.#statement('DELETE FROM messages WHERE serial = ?').run(serial);
    const first = serial * partsPerMessage;
    if (parts === 1) this.#statement('DELETE FROM contents WHERE key = ?').run(first);
    else {
      this.#deleteParts(serial, 0);
      this.#statement('DELETE FROM progress WHERE key >= ? AND key < ?').run(first, first + partsPerMessage);
      this.#statement('DELETE FROM arriving WHERE serial = ?').run(serial);
    }
  }

  #deleteParts(serial: number, from: number): void {
    const first = serial * partsPerMessage;
    this.#statement('DELETE FROM contents WHERE key >= ? AND key < ?').run(first + from, first + partsPerMessage);
  }

  #sweep(): readonly number[] {
    const left = this.#serials('SELECT serial FROM arriving WHERE holder NOT IN (SELECT number FROM holders)', []);
    for (const serial of left) this.#delete(serial, 0);
    return left;
  }

  #update(operation: Operation & { kind: 'update' }): readonly number[] {
    const { serial, queue, holder, due, outcomes, warned, sites } = operation;
    // what a command asked for while the delivery ran wins over where the message would go, unless nothing can be done with it
    const isAsked = queue !== queueNumbers.corrupt;
    const wanted = isAsked && this.#statement('SELECT wanted FROM messages WHERE serial = ?').get(serial)?.['wanted'];
    const target = wanted === 1 ? queueNumbers.hold : wanted === 2 ? queueNumbers.maildrop : queue;
    this.#statement(
      'UPDATE messages SET queue = ?, holder = ?, due = ?, outcomes = ?, warned = coalesce(?, warned), wanted = 0 WHERE serial = ?',
    ).run(target, holder, due, outcomes, warned ?? null, serial);
    if (sites !== undefined) this.#setSites(serial, sites);
    return target === queue ? [] : [serial];
  }

  #setSites(serial: number, sites: readonly string[]): void {
    this.#statement('DELETE FROM sites WHERE serial = ?').run(serial);
    for (const domain of sites)
      this.#statement('INSERT OR IGNORE INTO sites (serial, domain) VALUES (?, ?)').run(serial, domain);
  }

  #remove(serials: readonly number[]): readonly number[] {
    return serials.filter((serial) => {
      const found = this.#statement('SELECT 1 AS found FROM messages WHERE serial = ?').get(serial) !== undefined;
      if (found) {
        this.#delete(serial, 0);
        this.#setSites(serial, []);
      }
      return found;
    });
  }

  #each(serials: readonly number[], sql: string, before: readonly number[]): readonly number[] {
    return serials.filter((serial) => this.#statement(sql).get(...before, serial) !== undefined);
  }

  #serials(sql: string, values: readonly number[]): readonly number[] {
    return this.#statement(sql)
      .all(...values)
      .map((row) => Number(row['serial']));
  }
}
