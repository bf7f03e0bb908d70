/** How damage to a database file shows: errors of SQLite, and a check of small files. */
import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';

const sqliteCorrupt = 11;
const sqliteNotADatabase = 26;
/** Files up to this size are checked whole when they are opened; damage in larger ones is met when it is read. */
const maxCheckedBytes = 8 * 1024 * 1024;

/** Whether an error of SQLite says that the file is damaged. */
export function isDamage(error: unknown): boolean {
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
  return code === sqliteCorrupt || code === sqliteNotADatabase;
}

/** An error for which `isDamage` holds. */
export function damageError(cause: string): Error {
  return Object.assign(new Error(cause), { errcode: sqliteCorrupt });
}

/** Throws an error for which `isDamage` holds when a small file is damaged anywhere. */
export function checkSmallFile(database: DatabaseSync, path: string): void {
  if (statSync(path).size > maxCheckedBytes) return;
  const found = database.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check'];
  if (found !== 'ok') throw damageError(String(found));
}
