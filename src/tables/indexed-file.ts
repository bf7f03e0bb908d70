/**
 * `hash:` and `btree:` tables: NAME.db beside the text it was made from. Inside it is a SQLite database of ours; a file
 * that Postfix left there in Berkeley DB format is recognised and refused with what to do.
 */
import { chmodSync, closeSync, existsSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { DatabaseSync } from 'node:sqlite';
import { errnoText, failingTable, missing } from './memory-table.ts';
import type { LookupResult, Table } from './table.ts';

/** Tables up to this many entries are kept in memory. */
const maxEntriesInMemory = 200_000;
const recheckMs = 50;

const require = createRequire(import.meta.url);

/** node:sqlite, loaded when the first such table is opened. */
function openDatabase(path: string, readOnly: boolean): DatabaseSync {
  const sqlite: typeof import('node:sqlite') = require('node:sqlite');
  return new sqlite.DatabaseSync(path, { readOnly });
}

/** What kind of file this is, by its first bytes. */
export function fileFormat(path: string): 'sqlite' | 'berkeley' | 'unknown' {
  const head = Buffer.alloc(16);
  const fd = openSync(path, 'r');
  try {
    readSync(fd, head, 0, 16, 0);
  } finally {
    closeSync(fd);
  }
  if (head.toString('latin1').startsWith('SQLite format 3')) return 'sqlite';
  const magics = [head.readUInt32LE(12), head.readUInt32BE(12)];
  return magics.includes(0x00061561) || magics.includes(0x00053162) ? 'berkeley' : 'unknown';
}

/** All entries of an indexed file. */
export function readIndexedFile(path: string): Map<string, string> {
  const database = openDatabase(path, true);
  try {
    const entries = new Map<string, string>();
    for (const row of database.prepare('SELECT key, value FROM entries ORDER BY rowid').iterate()) {
      entries.set(String(row['key']), String(row['value']));
    }
    return entries;
  } finally {
    database.close();
  }
}

/** Writes a new file and puts it in the old one's place. */
export function writeIndexedFile(path: string, entries: ReadonlyMap<string, string>, mode: number): void {
  const temporary = `${path}.tmp.${process.pid}`;
  rmSync(temporary, { force: true });
  const database = openDatabase(temporary, false);
  try {
    database.exec(
      'PRAGMA journal_mode=OFF; CREATE TABLE entries (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT; BEGIN',
    );
    const insert = database.prepare('INSERT OR REPLACE INTO entries VALUES (?, ?)');
    for (const [key, value] of entries) insert.run(key, value);
    database.exec('COMMIT');
  } finally {
    database.close();
  }
  chmodSync(temporary, mode);
  renameSync(temporary, path);
}

interface Loaded {
  readonly entries: ReadonlyMap<string, string>;
  readonly mtimeMs: number;
  readonly ino: number;
}

/** `hash:PATH` or `btree:PATH`; looks at the file again when it has changed. */
export function indexedTable(name: string, path: string, foldKeys: boolean, warn: (text: string) => void): Table {
  const file = `${path}.db`;
  let loaded: Loaded | undefined;
  let checkedAt = 0;
  let problem: string | undefined;

  function load(): void {
    try {
      const { mtimeMs, ino } = statSync(file);
      if (loaded?.mtimeMs === mtimeMs && loaded.ino === ino) return;
      const format = fileFormat(file);
      if (format !== 'sqlite') {
        problem =
          format === 'berkeley'
            ? `${file} is in Berkeley DB format; run "postmap ${name}" (or postalias, for an alias file) to make it anew from ${path}`
            : `${file} is not a table; run "postmap ${name}" to make it anew from ${path}`;
        return;
      }
      loaded = { entries: readIndexedFile(file), mtimeMs, ino };
      problem = undefined;
      if (loaded.entries.size > maxEntriesInMemory) warn(`${name}: ${loaded.entries.size} entries are held in memory`);
      warnIfOlder(mtimeMs);
    } catch (error) {
      problem = `open database ${file}: ${errnoText(error)}`;
    }
  }

  function warnIfOlder(mtimeMs: number): void {
    if (existsSync(path) && statSync(path).mtimeMs > mtimeMs + 100_000) {
      warn(`database ${file} is older than source file ${path}`);
    }
  }

  load();
  if (problem !== undefined && loaded === undefined && !existsSync(file)) return failingTable(name, problem);
  return {
    name,
    acceptsPartialKeys: true,
    lookup: (key): LookupResult => {
      const now = Date.now();
      if (now - checkedAt >= recheckMs) {
        checkedAt = now;
        load();
      }
      if (loaded === undefined) return { kind: 'failed', reason: problem ?? `open database ${file}` };
      const value = loaded.entries.get(foldKeys ? key.toLowerCase() : key);
      return value === undefined ? missing : { kind: 'found', value };
    },
  };
}
