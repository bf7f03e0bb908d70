/**
 * The writer thread: the only connection that changes the queue. It gets batches of operations and gives one result
 * each, after the commit that holds them has reached the disk.
 */
import { statSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { contentChecksum, rowChecksum } from './checksums.ts';
import { DiskReserve } from './disk-reserve.ts';
import { addsMail, type Operation, type OperationResult, type WriterReport } from './operations.ts';
import { checkSmallFile, damageError, finishSalvage, isDamage, salvage } from './salvage.ts';
import { partsPerMessage, queueNumbers, schema, writerPragmas } from './schema.ts';

const sqliteFull = 13;

class Writer {
  readonly #path: string;
  readonly #report: (report: WriterReport) => void;
  readonly #reserve: DiskReserve;
  #database: DatabaseSync;
  #inode = 0;
  #statements = new Map<string, StatementSync>();
  /** What a salvaged database must know even when its own record was lost. */
  #registration: Operation | undefined;
  #serialEnd = 0;

  constructor(path: string, report: (report: WriterReport) => void) {
    this.#path = path;
    this.#report = report;
    this.#reserve = new DiskReserve(path);
    finishSalvage(path);
    try {
      this.#database = this.#open();
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#report({ kind: 'salvaged', lines: salvage(path, reasonOf(error), 0) });
      this.#database = this.#open();
    }
  }

  #open({ isChecked } = { isChecked: true }): DatabaseSync {
    const database = new DatabaseSync(this.#path);
    try {
      database.exec(writerPragmas);
      database.exec(`PRAGMA wal_autocheckpoint = ${this.#reserve.logPages()}`);
      database.exec(schema);
      if (isChecked) checkSmallFile(database, this.#path);
    } catch (error) {
      database.close();
      throw error;
    }
    this.#inode = statSync(this.#path).ino;
    this.#statements = new Map();
    return database;
  }

  /** Makes the file anew when it is damaged indeed. Throws when that can't be done now; then the old one is still open. */
  #salvage(cause: string): void {
    if (this.#isSound()) return;
    this.#database.close();
    try {
      this.#report({ kind: 'salvaged', lines: salvage(this.#path, cause, this.#serialEnd) });
    } finally {
      this.#database = this.#open({ isChecked: false });
    }
    if (this.#registration !== undefined) this.#run(this.#registration);
  }

  /** A connection can meet nonsense where the file has none: after a disk failed, or another process changed the file. */
  #isSound(): boolean {
    try {
      return this.#database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'] === 'ok';
    } catch (error) {
      if (isDamage(error)) return false;
      throw error;
    }
  }

  /** Another process may have made the file anew. */
  #followFile(): void {
    if (statSync(this.#path).ino === this.#inode) return;
    this.#database.close();
    this.#database = this.#open();
    if (this.#registration !== undefined) this.#run(this.#registration);
    this.#report({ kind: 'salvaged', lines: [] });
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** One commit for all; when that fails, each alone, so that one that can't be written does not fail the others. */
  runBatch(operations: readonly Operation[]): readonly OperationResult[] {
    try {
      this.#followFile();
      if (!this.#reserve.isUsedUp() || !operations.some(addsMail)) return this.#transaction(operations);
      return operations.map((operation) => this.#runAlone(operation));
    } catch (error) {
      if (isDamage(error)) {
        try {
          this.#salvage(reasonOf(error));
        } catch (failed) {
          return operations.map(() => failure(failed));
        }
      }
      return operations.map((operation) => this.#runAlone(operation));
    }
  }

  #runAlone(operation: Operation): OperationResult {
    const isMail = addsMail(operation);
    if (isMail && this.#reserve.isUsedUp() && !this.#refillReserve())
      return { kind: 'failed', full: true, reason: 'database or disk is full' };
    try {
      return this.#transaction([operation])[0] ?? { kind: 'ok', serials: [] };
    } catch (error) {
      if (isMail || !isFull(error)) return failure(error);
    }
    try {
      this.#reserve.release();
      this.#checkpoint();
      const [result] = this.#transaction([operation]);
      this.#refillReserve();
      return result ?? { kind: 'ok', serials: [] };
    } catch (error) {
      return failure(error);
    }
  }

  /** Moves the log into the file and empties it, as far as readers and the disk let it. */
  #checkpoint(): void {
    this.#database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
  }

  #fillReserve(): boolean {
    const isThere = this.#reserve.fill();
    this.#database.exec(`PRAGMA wal_autocheckpoint = ${this.#reserve.logPages()}`);
    return isThere;
  }

  #refillReserve(): boolean {
    try {
      this.#checkpoint();
    } catch {
      return false; // not even the log could be moved
    }
    return this.#fillReserve();
  }

  /** Between batches: nobody waits for it. */
  prepare(): void {
    this.#fillReserve();
  }

  #transaction(operations: readonly Operation[]): readonly OperationResult[] {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const results = operations.map((operation): OperationResult => ({ kind: 'ok', serials: this.#run(operation) }));
      this.#database.exec('COMMIT');
      return results;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  #run(operation: Operation): readonly number[] {
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
        if (operation.part === 0) {
          this.#statement('INSERT INTO arriving (serial, holder) VALUES (?, ?)').run(
            operation.serial,
            operation.holder,
          );
        }
        this.#putPart(operation.serial, operation.part, operation.data);
        return [];
      case 'gone':
        this.#delete(operation.serial, operation.parts);
        return [];
      case 'update':
        return this.#update(operation);
      case 'outcomes':
        this.#statement('UPDATE messages SET outcomes = ? WHERE serial = ?').run(operation.outcomes, operation.serial);
        return [];
      case 'claim':
        return this.#serials(
          `UPDATE messages SET queue = 1, holder = ? WHERE serial IN
             (SELECT serial FROM messages WHERE queue = ${queueNumbers[operation.from]} AND due <= ? ORDER BY due LIMIT ?)
             RETURNING serial`,
          [operation.holder, operation.now, operation.limit],
        );
      case 'claimSerials':
        return this.#each(
          operation.serials,
          'UPDATE messages SET queue = 1, holder = ? WHERE serial = ? AND queue IN (0, 2) RETURNING serial',
          [operation.holder],
        );
      case 'makeDue':
        return operation.serials === undefined
          ? this.#serials('UPDATE messages SET due = ? WHERE queue = 2 AND due > ? RETURNING serial', [
              operation.now,
              operation.now,
            ])
          : this.#each(
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
             WHERE serial = ? AND queue IN (0, 1, 2) RETURNING serial`,
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
          'UPDATE messages SET queue = 2, due = ? WHERE serial = ? AND queue = 3 RETURNING serial',
          [0],
        );
      case 'expire':
        return this.#each(operation.serials, 'UPDATE messages SET expire = 1 WHERE serial = ? RETURNING serial', []);
      case 'releaseLeases':
        return this.#serials(
          `UPDATE messages SET queue = CASE wanted WHEN 1 THEN 3 WHEN 2 THEN 5 ELSE 0 END, wanted = 0, holder = 0 WHERE queue = 1 AND holder NOT IN (${['-1', ...operation.living].join(',')}) RETURNING serial`,
          [],
        );
      case 'register':
        this.#registration = operation;
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
      case 'salvage':
        if (operation.inode === this.#inode && !this.#isSound()) throw damageError(operation.cause);
        return [];
      case 'returnSerials':
        this.#statement('UPDATE serials SET next = ? WHERE next = ?').run(operation.used, operation.end);
        return [];
      case 'reserveSerials':
        return this.#reserveSerials(operation.count);
    }
  }

  #reserveSerials(count: number): readonly number[] {
    const ends = this.#serials('UPDATE serials SET next = next + ? RETURNING next AS serial', [count]);
    this.#serialEnd = Math.max(this.#serialEnd, ...ends);
    return ends;
  }

  #putPart(serial: number, part: number, data: Uint8Array): void {
    this.#statement('INSERT INTO contents (key, crc, data) VALUES (?, ?, ?)').run(
      serial * partsPerMessage + part,
      contentChecksum(data),
      data,
    );
  }

  #delete(serial: number, parts: number): void {
    this.#statement('DELETE FROM messages WHERE serial = ?').run(serial);
    const first = serial * partsPerMessage;
    if (parts === 1) this.#statement('DELETE FROM contents WHERE key = ?').run(first);
    else {
      this.#statement('DELETE FROM contents WHERE key >= ? AND key < ?').run(first, first + partsPerMessage);
      this.#statement('DELETE FROM arriving WHERE serial = ?').run(serial);
    }
  }

  #sweep(): readonly number[] {
    const left = this.#serials('SELECT serial FROM arriving WHERE holder NOT IN (SELECT number FROM holders)', []);
    for (const serial of left) this.#delete(serial, 0);
    return left;
  }

  #update(operation: Operation & { kind: 'update' }): readonly number[] {
    const { serial, queue, holder, due, outcomes, warned } = operation;
    // what a command asked for while the delivery ran wins over where the message would go
    const wanted = this.#statement('SELECT wanted FROM messages WHERE serial = ?').get(serial)?.['wanted'];
    const target = wanted === 1 ? queueNumbers.hold : wanted === 2 ? queueNumbers.maildrop : queue;
    this.#statement(
      'UPDATE messages SET queue = ?, holder = ?, due = ?, outcomes = ?, warned = coalesce(?, warned), wanted = 0 WHERE serial = ?',
    ).run(target, holder, due, outcomes, warned ?? null, serial);
    return target === queue ? [] : [serial];
  }

  #remove(serials: readonly number[]): readonly number[] {
    return serials.filter((serial) => {
      const found = this.#statement('SELECT 1 AS found FROM messages WHERE serial = ?').get(serial) !== undefined;
      if (found) this.#delete(serial, 0);
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

  close(): void {
    // damage to the log would cost all that was committed after it: nothing stays there longer than needed
    try {
      this.#checkpoint();
    } catch {
      // the disk is full: the next start reads the log
    }
    this.#database.close();
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === sqliteFull;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function failure(error: unknown): OperationResult {
  return { kind: 'failed', full: isFull(error), reason: reasonOf(error) };
}

function partBuffers(batch: readonly Operation[]): ArrayBuffer[] {
  return batch.flatMap((operation) =>
    operation.kind === 'part' && operation.data.buffer instanceof ArrayBuffer ? [operation.data.buffer] : [],
  );
}

const port = parentPort;
if (port !== null) {
  const report = (message: WriterReport): void => port.postMessage(message);
  const data: unknown = workerData;
  try {
    const writer = new Writer(String(data), report);
    port.on('message', (batch: readonly Operation[] | 'close') => {
      if (batch === 'close') {
        writer.close();
        port.close();
      } else {
        const results = writer.runBatch(batch);
        const returned = partBuffers(batch);
        port.postMessage({ kind: 'results', results, returned } satisfies WriterReport, returned);
      }
    });
    report({ kind: 'ready' });
    setImmediate(() => writer.prepare());
  } catch (error) {
    report({ kind: 'failed', reason: reasonOf(error) });
  }
}
