/**
 * The files that postmap makes: `hash:` and `btree:` NAME.db, `lmdb:` NAME.lmdb, `cdb:` NAME.cdb. A cdb file is what
 * other programs read and write too; inside the others is a SQLite database of ours.
 */
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { DatabaseSync } from 'node:sqlite';
import { parseCdb } from './cdb.ts';

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
  const head = Buffer.alloc(32);
  const fd = openSync(path, 'r');
  try {
    return head.subarray(0, readSync(fd, head, 0, head.length, 0));
  } finally {
    closeSync(fd);
  }
}

/** Whose file it is, when it isn't ours: Berkeley DB's and LMDB's begin with a magic number, in either byte order. */
export function foreignFormat(head: Buffer): string | undefined {
  if (head.toString('latin1', 0, 15) === 'SQLite format 3') return undefined;
  const numberAt = (at: number): readonly number[] =>
    head.length < at + 4 ? [] : [head.readUInt32LE(at), head.readUInt32BE(at)];
  if (numberAt(12).some((magic) => magic === 0x00061561 || magic === 0x00053162)) return 'in Berkeley DB format';
  return numberAt(16).includes(0xbeefc0de) ? 'in LMDB format' : 'not a lookup table';
}

function inMemory(entries: Map<string, string>): Index {
  return { get: (key) => entries.get(key), entries: () => entries, close: () => undefined };
}

function* rowsOf(database: DatabaseSync, type: IndexType): Iterable<readonly [string, string]> {
  const order = type === 'hash' ? 'rowid' : 'key';
  for (const row of database.prepare(`SELECT key, value FROM entries ORDER BY ${order}`).iterate()) {
    yield [String(row['key']), String(row['value'])];
  }
}

/** Opens an index for lookups. A text says why it can't be used; file errors are thrown. */
export function openIndex(type: IndexType, path: string): Index | string {
  const file = indexPath(type, path);
  const remedy = `run "postmap ${type}:${path}" (or postalias, for an alias file) to make it anew`;
  if (type === 'cdb') {
    const entries = parseCdb(readFileSync(file));
    return entries === undefined ? `${file} is not a lookup table: ${remedy}` : inMemory(entries);
  }
  const foreign = foreignFormat(headOf(file));
  if (foreign !== undefined) return `${file} is ${foreign}: ${remedy}`;
  const database = openDatabase(file, true);
  if (statSync(file).size <= maxBytesInMemory) {
    try {
      return inMemory(new Map(rowsOf(database, type)));
    } finally {
      database.close();
    }
  }
  const select = database.prepare('SELECT value FROM entries WHERE key = ?');
  return {
    get: (key) => {
      const row = select.get(key);
      return row === undefined ? undefined : String(row['value']);
    },
    entries: () => rowsOf(database, type),
    close: () => database.close(),
  };
}
