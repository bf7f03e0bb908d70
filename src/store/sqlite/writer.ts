/**
 * The writer thread: the only connection that changes the queue. It gets batches of operations and gives one result
 * each, after the commit that holds them has reached the disk.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { Operation, OperationResult } from './operations.ts';
import { partsPerMessage, queueNumbers, schema, writerPragmas } from './schema.ts';

const SQLITE_FULL = 13;

class Writer {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    this.#database.exec(writerPragmas);
    this.#database.exec(schema);
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
      return this.#transaction(operations);
    } catch (error) {
      if (operations.length === 1) return [failure(error)];
      return operations.map((operation) => {
        try {
          return this.#transaction([operation])[0] ?? { kind: 'ok', serials: [] };
        } catch (alone) {
          return failure(alone);
        }
      });
    }
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
        const {
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
          rowCrc,
          content,
          crc,
        } = operation;
        this.#statement(
          'INSERT INTO messages (serial, id, queue, holder, due, size, content_bytes, header_bytes, envelope, recipients, crc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
        ).run(serial, id, queue, holder, due, size, contentBytes, headerBytes, envelope, recipients, rowCrc);
        if (operation.hasParts) this.#statement('DELETE FROM arriving WHERE serial = ?').run(serial);
        if (content.length > 0) this.#putPart(serial, 0, crc, content);
        return [];
      }
      case 'part':
        if (operation.part === 0) {
          this.#statement('INSERT INTO arriving (serial, holder) VALUES (?, ?)').run(
            operation.serial,
            operation.holder,
          );
        }
        this.#putPart(operation.serial, operation.part, operation.crc, operation.data);
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
          `UPDATE messages SET queue = CASE wanted WHEN 1 THEN 3 ELSE 0 END, wanted = 0, holder = 0 WHERE queue = 1 AND holder NOT IN (${['-1', ...operation.living].join(',')}) RETURNING serial`,
          [],
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

  #putPart(serial: number, part: number, crc: number, data: Uint8Array): void {
    this.#statement('INSERT INTO contents (key, crc, data) VALUES (?, ?, ?)').run(
      serial * partsPerMessage + part,
      crc,
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
    const target = wanted === 1 ? 3 : queue;
    this.#statement(
      'UPDATE messages SET queue = ?, holder = ?, due = ?, outcomes = ?, warned = coalesce(?, warned), wanted = 0 WHERE serial = ?',
    ).run(target, holder, due, outcomes, warned ?? null, serial);
    return wanted === 1 ? [serial] : [];
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
    this.#database.close();
  }
}

function failure(error: unknown): OperationResult {
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) : 0;
  return {
    kind: 'failed',
    full: (code & 0xff) === SQLITE_FULL,
    reason: error instanceof Error ? error.message : String(error),
  };
}

const port = parentPort;
if (port !== null) {
  const data: unknown = workerData;
  const writer = new Writer(String(data));
  port.on('message', (batch: readonly Operation[] | 'close') => {
    if (batch === 'close') {
      writer.close();
      port.close();
    } else port.postMessage(writer.runBatch(batch));
  });
  port.postMessage([]);
}
