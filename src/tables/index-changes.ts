/** Making and changing index files: a new one takes the old one's place, so a command that is killed leaves the old. */
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { openReplacement } from '#native';
import { formatCdb } from './cdb.ts';
import {
  foreignFormat,
  hasWriteAheadLog,
  headOf,
  indexPath,
  type IndexType,
  journalOf,
  openDatabase,
} from './index-files.ts';

/** Who may read a new index. */
export interface FileRights {
  readonly mode: number;
  /** Undefined: who runs the command. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
}

function setRights(fd: number, { mode, owner }: FileRights): void {
  if (owner !== undefined) fchownSync(fd, owner.uid, owner.gid);
  fchmodSync(fd, mode);
}

export const createEntries =
  'CREATE TABLE IF NOT EXISTS entries (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value TEXT NOT NULL) STRICT;';

const ownerMayWrite = constants.S_IRUSR | constants.S_IWUSR;

interface Made<T> {
  readonly result: T;
  /** False when the old file may stay. */
  readonly isNews: boolean;
}

/** Makes a new file and puts it in the old one's place. Others who want to do so wait until then. */
function replaceFile<T>(file: string, rights: FileRights, make: (temporary: string, fd: number) => Made<T>): T {
  const temporary = `${file}.tmp`;
  const fd = openReplacement(temporary);
  if (fd === undefined) throw new Error(`${temporary}: another process is changing the table`);
  let isInPlace = false;
  try {
    // at once: what a killed root leaves must not keep the owner out, and who makes it has to write to it
    setRights(fd, { ...rights, mode: rights.mode | ownerMayWrite });
    const { result, isNews } = make(temporary, fd);
    if (isNews) {
      setRights(fd, rights);
      fsyncSync(fd);
      renameSync(temporary, file);
      isInPlace = true;
    }
    return result;
  } finally {
    if (!isInPlace) rmSync(temporary, { force: true });
    closeSync(fd);
  }
}

/** Where a link leads; a file that isn't there yet is made at its own place. */
function placeOf(file: string): string {
  return existsSync(file) ? realpathSync(file) : file;
}

/** Writes a new index and puts it in the old one's place; readers see the one or the other. */
export function writeIndex(
  type: IndexType,
  path: string,
  entries: ReadonlyMap<string, string>,
  rights: FileRights,
): void {
  const file = placeOf(indexPath(type, path));
  replaceFile(file, rights, (temporary, fd) => {
    if (type === 'cdb') {
      const content = formatCdb(entries);
      if (content === undefined) throw new Error(`${file}: File too large`);
      writeFileSync(fd, content);
    } else {
      inCopy(temporary, ({ add }) => {
        for (const [key, value] of entries) add(key, value);
      });
      rmSync(journalOf(file), { force: true });
    }
    return { result: undefined, isNews: true };
  });
}

/** An index that is being changed; all changes are kept, or none. */
export interface IndexChanges {
  /** False when the key was there. */
  readonly add: (key: string, value: string) => boolean;
  readonly replace: (key: string, value: string) => void;
  /** False when the key was not there. */
  readonly remove: (key: string) => boolean;
}

/** What is done, and whether it has changed anything. */
function changed<T>(database: DatabaseSync, change: (changes: IndexChanges) => T): { result: T; count: number } {
  database.exec(`BEGIN IMMEDIATE; ${createEntries}`);
  const insert = database.prepare('INSERT OR IGNORE INTO entries (key, value) VALUES (?, ?)');
  const replace = database.prepare(
    'INSERT INTO entries (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  );
  const remove = database.prepare('DELETE FROM entries WHERE key = ?');
  let count = 0;
  const rows = ({ changes }: { readonly changes: number | bigint }): number => {
    count += Number(changes);
    return Number(changes);
  };
  const result = change({
    add: (key, value) => rows(insert.run(key, value)) > 0,
    replace: (key, value) => void rows(replace.run(key, value)),
    remove: (key) => rows(remove.run(key)) > 0,
  });
  database.exec('COMMIT');
  return { result, count };
}

/** Changes a file that nobody else has opened. */
function inCopy<T>(file: string, change: (changes: IndexChanges) => T): { result: T; count: number } {
  const url = pathToFileURL(file);
  // locks of SQLite's own would wait for ours on NFS, where they are of one kind. flock(2)
  url.searchParams.set('vfs', 'unix-none');
  const database = openDatabase(url, false);
  try {
    database.exec('PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF');
    return changed(database, change);
  } finally {
    database.close();
  }
}

function inPlace<T>(file: string, change: (changes: IndexChanges) => T): T {
  const database = openDatabase(file, false);
  try {
    return changed(database, change).result;
  } finally {
    database.close();
  }
}

export interface ChangeOptions {
  readonly rights: FileRights;
  /** Whether one that is not there is made. */
  readonly mayBeNew: boolean;
}

/**
 * Changes an index (not cdb), in a copy that takes its place. A text says why it can't be used; file errors are thrown.
 */
export function changeIndex<T>(
  type: Exclude<IndexType, 'cdb'>,
  path: string,
  { rights, mayBeNew }: ChangeOptions,
  change: (changes: IndexChanges) => T,
): { readonly result: T } | string {
  const file = placeOf(indexPath(type, path));
  const head = mayBeNew && !existsSync(file) ? undefined : headOf(file);
  const foreign = head === undefined ? undefined : foreignFormat(head);
  if (foreign !== undefined) return `${file} is ${foreign}: run "postmap ${type}:${path}" to make it anew`;
  // a change in place that was broken off is taken back by SQLite, in place
  if (head !== undefined && (hasWriteAheadLog(head) || existsSync(journalOf(file)))) {
    return { result: inPlace(file, change) };
  }
  const result = replaceFile(file, rights, (temporary) => {
    const isNew = mayBeNew && !existsSync(file);
    if (!isNew) copyFileSync(file, temporary, constants.COPYFILE_FICLONE);
    const { result: made, count } = inCopy(temporary, change);
    return { result: made, isNews: isNew || count > 0 };
  });
  return { result };
}
