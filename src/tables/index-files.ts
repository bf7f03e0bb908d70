/**
 * The files that postmap makes: `hash:` and `btree:` NAME.db, `lmdb:` NAME.lmdb, `cdb:` NAME.cdb. A cdb file is what
 * other programs read and write too; inside the others is a SQLite database of ours.
 */
import { existsSync, readFileSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { DatabaseSync } from 'node:sqlite';
import { parseCdb } from './cdb.ts';
import { fileNamed, readOwned, withOpenFile } from './owned-file.ts';

export type IndexType = 'hash' | 'btree' | 'lmdb' | 'cdb';

const suffixes: Readonly<Record<IndexType, string>> = { hash: '.db', btree: '.db', lmdb: '.lmdb', cdb: '.cdb' };
const lockWaitMs = 10_000;
/** Indexes up to this size are kept in memory; the entries of larger ones are looked up in the file. */
const maxBytesInMemory = 64 * 1024 * 1024;

export function isIndexType(type: string): type is IndexType {
  return Object.hasOwn(suffixes, type);
}

/** `aliases` → `aliases.db` */
export function indexPath(type: IndexType, path: string): string {
  return path + suffixes[type];
}

/** An opened index. */
export interface Index {
  /** Whose file the entries come from, a uid; undefined when that can't be told. */
  readonly owner: number | undefined;
  get(key: string): string | undefined;
  entries(): Iterable<readonly [string, string]>;
  close(): void;
}

const require = createRequire(import.meta.url);

/** node:sqlite is loaded when the first such file is opened. */
export function openDatabase(path: string | URL, readOnly: boolean): DatabaseSync {
  const sqlite: typeof import('node:sqlite') = require('node:sqlite');
  return new sqlite.DatabaseSync(path, { readOnly, timeout: lockWaitMs });
}

export function headOf(path: string): Buffer {
  return withOpenFile(path, headIn);
}

function headIn(fd: number): Buffer {
  const head = Buffer.alloc(32);
  return head.subarray(0, readSync(fd, head, 0, head.length, 0));
}

/** SQLite keeps here what a change in place takes away. */
export function journalOf(file: string): string {
  return `${file}-journal`;
}

/** A cache, which its server has open: its write-ahead log sees to crashes. https://sqlite.org/fileformat.html, 1.3.3 */
export function hasWriteAheadLog(head: Buffer): boolean {
  return head[18] === 2;
}

/** Whose file it is, when it isn't ours: Berkeley DB's and LMDB's begin with a magic number, in either byte order. */
export function foreignFormat(head: Buffer): string | undefined {
  if (head.toString('latin1', 0, 15) === 'SQLite format 3') return undefined;
  const numberAt = (at: number): readonly number[] =>
    head.length < at + 4 ? [] : [head.readUInt32LE(at), head.readUInt32BE(at)];
  if (numberAt(12).some((magic) => magic === 0x00061561 || magic === 0x00053162)) return 'in Berkeley DB format';
  return numberAt(16).includes(0xbeefc0de) ? 'in LMDB format' : 'not a lookup table';
}

function inMemory(entries: Map<string, string>, owner: number | undefined): Index {
  return { owner, get: (key) => entries.get(key), entries: () => entries, close: () => undefined };
}

function* rowsOf(database: DatabaseSync, type: IndexType): Iterable<readonly [string, string]> {
  const order = type === 'hash' ? 'rowid' : 'key';
  for (const row of database.prepare(`SELECT key, value FROM entries ORDER BY ${order}`).iterate()) {
    yield [String(row['key']), String(row['value'])];
  }
}

/** From an opened file, as long as nobody writes to it; Node before 24.16 opens databases by their names only. */
function indexIn(fd: number, file: string, head: Buffer, type: IndexType, owner: number): Index | undefined {
  if (hasWriteAheadLog(head) || existsSync(journalOf(file))) return undefined;
  const database = openDatabase(':memory:', false);
  try {
    if (!('deserialize' in database)) return undefined;
    database.deserialize(readFileSync(fd));
    return inMemory(new Map(rowsOf(database, type)), owner);
  } finally {
    database.close();
  }
}

/** Opens an index for lookups. A text says why it can't be used; file errors are thrown. */
export function openIndex(type: IndexType, path: string): Index | string {
  const file = indexPath(type, path);
  const remedy = `run "postmap ${type}:${path}" (or postalias, for an alias file) to make it anew`;
  if (type === 'cdb') {
    const { bytes, owner } = readOwned(file);
    const entries = parseCdb(bytes);
    return entries === undefined ? `${file} is not a lookup table: ${remedy}` : inMemory(entries, owner);
  }
  return withOpenFile(file, (fd, { size, uid }) => {
    const head = headIn(fd);
    const foreign = foreignFormat(head);
    if (foreign !== undefined) return `${file} is ${foreign}: ${remedy}`;
    const isSmall = size <= maxBytesInMemory;
    return (isSmall ? indexIn(fd, file, head, type, uid) : undefined) ?? openNamed(type, file, isSmall);
  });
}

function openNamed(type: IndexType, file: string, isSmall: boolean): Index {
  const { path, owner } = fileNamed(file);
  const database = openDatabase(path, true);
  if (isSmall) {
    try {
      return inMemory(new Map(rowsOf(database, type)), owner);
    } finally {
      database.close();
    }
  }
  const select = database.prepare('SELECT value FROM entries WHERE key = ?');
  return {
    owner,
    get: (key) => {
      const row = select.get(key);
      return row === undefined ? undefined : String(row['value']);
    },
    entries: () => rowsOf(database, type),
    close: () => database.close(),
  };
}
