/** The reading connection: rows as they are. */
import { statSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { firstRecipientPart, pageBytes, partsPerMessage, queueAsked, queueNumbers } from './schema.ts';

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

/** What is known of a part of the recipients. */
export interface ProgressRow {
  readonly crc: number;
  readonly done: Uint8Array;
  readonly outcomes: string;
}

/** Serial numbers behind `after` and up to `last`; of the messages there at most `limit`. */
export interface Stretch {
  readonly after: number;
  readonly last: number;
  readonly limit: number;
}

export interface MessageName {
  readonly serial: number;
  readonly id: string;
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

function toProgress(row: SqlRow): ProgressRow {
  const { crc, done, outcomes } = row;
  return {
    crc: Number(crc),
    done: done instanceof Uint8Array ? done : new Uint8Array(),
    outcomes: typeof outcomes === 'string' ? outcomes : '',
  };
}

export class Reader {
  readonly #path: string;
  #database: DatabaseSync;
  #statements = new Map<string, StatementSync>();
  #inode: number;
  #isStale = false;

  constructor(path: string) {
    this.#path = path;
    this.#database = openForReading(path);
    this.#inode = statSync(path).ino;
  }

  /** Of the file that is read. */
  get inode(): number {
    return this.#inode;
  }

  /** The file was made anew: what is read next opens it. */
  reopen(): void {
    this.#isStale = true;
  }

  #openAnew(): void {
    const database = openForReading(this.#path);
    this.#database.close();
    this.#database = database;
    this.#statements = new Map();
    this.#inode = statSync(this.#path).ino;
    this.#isStale = false;
  }

  #statement(sql: string): StatementSync {
    if (this.#isStale) this.#openAnew();
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

  /** The last of the next `limit` messages behind `after`, whatever their queues; undefined: there are none. */
  stretchEnd(after: number, limit: number): number | undefined {
    const last = this.#statement(
      'SELECT max(serial) AS last FROM (SELECT serial FROM messages WHERE serial > ? ORDER BY serial LIMIT ?)',
    ).get(after, limit)?.['last'];
    return typeof last === 'number' ? last : undefined;
  }

  /** Rows that commands find in some queues, in order of arrival: some of those behind `after` and up to `last`. */
  page(queues: readonly number[], { after, last, limit }: Stretch): readonly MessageRow[] {
    const marks = queues.map(() => '?').join(',');
    return this.#statement(
      `SELECT *, ${queueAsked} AS asked FROM messages WHERE serial > ? AND serial <= ? AND asked IN (${marks}) ORDER BY serial LIMIT ?`,
    )
      .all(after, last, ...queues, limit)
      .map((row) => ({ ...toRow(row), queue: Number(row['asked']) }));
  }

  /** The newest message there is. */
  lastSerial(): number {
    return Number(this.#statement('SELECT max(serial) AS last FROM messages').get()?.['last'] ?? 0);
  }

  /** Which messages commands find in some queues: a part of those behind `after` and up to `last`. */
  names(queues: readonly number[], { after, last, limit }: Stretch): readonly MessageName[] {
    const marks = queues.map(() => '?').join(',');
    return this.#statement(
      `SELECT serial, id FROM messages WHERE serial > ? AND serial <= ? AND ${queueAsked} IN (${marks}) ORDER BY serial LIMIT ?`,
    )
      .all(after, last, ...queues, limit)
      .map((row) => ({ serial: Number(row['serial']), id: String(row['id']) }));
  }

  /** Deferred messages that wait for a site: a part of those behind `after`. */
  waitingFor(site: string, after: number, limit: number): readonly MessageName[] {
    return this.#statement(
      `SELECT messages.serial, id FROM sites JOIN messages USING (serial)
         WHERE domain = ? AND sites.serial > ? AND queue = ${queueNumbers.deferred} ORDER BY sites.serial LIMIT ?`,
    )
      .all(site, after, limit)
      .map((row) => ({ serial: Number(row['serial']), id: String(row['id']) }));
  }

  /** The message when commands find it in one of the queues. */
  name(serial: number, queues: readonly number[]): MessageName | undefined {
    const row = this.#statement(`SELECT id, ${queueAsked} AS queue FROM messages WHERE serial = ?`).get(serial);
    return row !== undefined && queues.includes(Number(row['queue'])) ? { serial, id: String(row['id']) } : undefined;
  }

  part(serial: number, part: number): { readonly crc: number; readonly data: Uint8Array } | undefined {
    const row = this.#statement('SELECT crc, data FROM contents WHERE key = ?').get(serial * partsPerMessage + part);
    const data = row?.['data'];
    return data instanceof Uint8Array ? { crc: Number(row?.['crc']), data } : undefined;
  }

  progress(serial: number, part: number): ProgressRow | undefined {
    const row = this.#statement('SELECT crc, done, outcomes FROM progress WHERE key = ?').get(
      serial * partsPerMessage + part,
    );
    return row === undefined ? undefined : toProgress(row);
  }

  /** Of all parts of which anything is known, without the outcomes. */
  progressOf(serial: number): readonly ProgressRow[] {
    const first = serial * partsPerMessage;
    return this.#statement('SELECT crc, done FROM progress WHERE key >= ? AND key < ?')
      .all(first, first + partsPerMessage)
      .map(toProgress);
  }

  /** The next part of which outcomes are kept. */
  partWithOutcomes(serial: number, after: number): number | undefined {
    const first = serial * partsPerMessage;
    const key = this.#statement(
      "SELECT key FROM progress WHERE key > ? AND key < ? AND outcomes <> '' ORDER BY key LIMIT 1",
    ).get(first + after, first + firstRecipientPart)?.['key'];
    return typeof key === 'number' ? key - first : undefined;
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
    this.#isStale = false;
    this.#database.close();
  }
}

function openForReading(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly: true });
  database.exec('PRAGMA busy_timeout = 5000');
  return database;
}
