/** The reading connection: rows become messages here, once, and what does not parse is reported as damaged. */
import { statSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Envelope, Outcome, Recipient } from '#message';
import { rowChecksum } from './checksums.ts';
import { pageBytes, partsPerMessage, queueNumbers } from './schema.ts';

export interface MessageRow {
  readonly serial: number;
  readonly id: string;
  readonly queue: number;
  readonly holder: number;
  readonly due: number;
  readonly size: number;
  readonly contentBytes: number;
  readonly headerBytes: number;
  readonly warned: number;
  readonly expire: number;
  readonly envelope: string;
  readonly recipients: string;
  readonly outcomes: string;
  readonly crc: number;
}

/** The JSON columns, parsed. */
export interface ParsedRow {
  readonly envelope: Envelope;
  readonly recipients: readonly Recipient[];
  readonly outcomes: readonly Outcome[];
}

type SqlRow = Readonly<Record<string, unknown>>;

function toRow(row: SqlRow): MessageRow {
  const number = (name: string): number => Number(row[name]);
  const text = (name: string): string => {
    const value = row[name];
    return typeof value === 'string' ? value : '';
  };
  return {
    serial: number('serial'),
    id: text('id'),
    queue: number('queue'),
    holder: number('holder'),
    due: number('due'),
    size: number('size'),
    contentBytes: number('content_bytes'),
    headerBytes: number('header_bytes'),
    warned: number('warned'),
    expire: number('expire'),
    envelope: text('envelope'),
    recipients: text('recipients'),
    outcomes: text('outcomes'),
    crc: number('crc'),
  };
}

export class Reader {
  readonly #path: string;
  #database: DatabaseSync;
  #statements = new Map<string, StatementSync>();
  #inode: number;

  constructor(path: string) {
    this.#path = path;
    this.#database = openForReading(path);
    this.#inode = statSync(path).ino;
  }

  /** Of the file that is read. */
  get inode(): number {
    return this.#inode;
  }

  /** The file was made anew. */
  reopen(): void {
    this.#database.close();
    this.#statements = new Map();
    this.#database = openForReading(this.#path);
    this.#inode = statSync(this.#path).ino;
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  row(serial: number): MessageRow | undefined {
    const row = this.#statement('SELECT * FROM messages WHERE serial = ?').get(serial);
    return row === undefined ? undefined : toRow(row);
  }

  /** Rows of some queues in order of arrival, a page at a time. */
  page(queues: readonly number[], after: number, limit: number): readonly MessageRow[] {
    const marks = queues.map(() => '?').join(',');
    return this.#statement(`SELECT * FROM messages WHERE serial > ? AND queue IN (${marks}) ORDER BY serial LIMIT ?`)
      .all(after, ...queues, limit)
      .map(toRow);
  }

  /** Which messages are in some queues. */
  ids(queues: readonly number[]): readonly { readonly serial: number; readonly id: string }[] {
    const marks = queues.map(() => '?').join(',');
    return this.#statement(`SELECT serial, id FROM messages WHERE queue IN (${marks}) ORDER BY serial`)
      .all(...queues)
      .map((row) => ({ serial: Number(row['serial']), id: String(row['id']) }));
  }

  part(serial: number, part: number): { readonly crc: number; readonly data: Uint8Array } | undefined {
    const row = this.#statement('SELECT crc, data FROM contents WHERE key = ?').get(serial * partsPerMessage + part);
    const data = row?.['data'];
    return data instanceof Uint8Array ? { crc: Number(row?.['crc']), data } : undefined;
  }

  nextDue(): number | undefined {
    const due = this.#statement(`SELECT min(due) AS due FROM messages WHERE queue = ${queueNumbers.deferred}`).get()?.[
      'due'
    ];
    return typeof due === 'number' ? due : undefined;
  }

  /** Room inside the file. */
  freeBytes(): number {
    return Number(this.#statement('PRAGMA freelist_count').get()?.['freelist_count'] ?? 0) * pageBytes;
  }

  holders(): readonly { readonly number: number; readonly pid: number; readonly started: string }[] {
    return this.#statement('SELECT number, pid, started FROM holders')
      .all()
      .map((row) => ({ number: Number(row['number']), pid: Number(row['pid']), started: String(row['started']) }));
  }

  close(): void {
    this.#database.close();
  }
}

function openForReading(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly: true });
  database.exec('PRAGMA busy_timeout = 5000');
  return database;
}

/** Parses the JSON columns; throws when they are damaged. */
export function parseRow(row: MessageRow): ParsedRow {
  if (rowChecksum(row.envelope, row.recipients) !== row.crc) throw new Error('envelope is damaged: checksum mismatch');
  const envelope: Envelope = JSON.parse(row.envelope);
  const recipients: readonly Recipient[] = JSON.parse(row.recipients);
  const outcomes: readonly Outcome[] = row.outcomes === '' ? [] : JSON.parse(row.outcomes);
  if (typeof envelope?.sender !== 'string' || !Array.isArray(recipients)) throw new Error('envelope is damaged');
  return { envelope, recipients, outcomes };
}
