/**
 * A damaged database file: what can be read goes into a new one, the damaged one is kept below `corrupt`. The swap can
 * be cut at any moment: a finished new file has a name of its own, and the next start goes on from there.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  lchownSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { type ScannedRow, scanRows } from './page-scan.ts';
import {
  corruptWarning,
  databaseName,
  firstRecipientPart,
  partsPerMessage,
  queueNameOf,
  queueNumbers,
  serialBlock,
  writerPragmas,
} from './schema.ts';
import { upgrade } from './upgrade.ts';

/** Whether a swap was cut short, or is under way. */
export function isHalfSalvaged(path: string): boolean {
  return existsSync(salvagedPath(path));
}

/** Ends a swap that was cut short. Before the database is opened, under the lock. */
export function finishSalvage(path: string): void {
  if (isHalfSalvaged(path)) swap(path);
}

/** Makes a new database of what the damaged one still holds; gives log lines. The damaged one must be closed, and the lock held. */
export function salvage(path: string, cause: string, firstFreeSerial: number): readonly string[] {
  const fresh = `${path}.new`;
  for (const suffix of ['', '-wal', '-shm']) rmSync(fresh + suffix, { force: true });
  closeSync(openSync(fresh, 'a', 0o600));
  const database = new DatabaseSync(fresh);
  database.exec(writerPragmas);
  upgrade(database);
  const counts = copyRows(path, database);
  const lines = setIncompleteAside(database);
  const [next] = numbers(
    database,
    'SELECT max(next, coalesce((SELECT max(serial) FROM messages), 0)) AS n FROM serials',
  );
  database.prepare('UPDATE serials SET next = ?').run(Math.max(next ?? 0, firstFreeSerial) + serialBlock);
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
  const { uid, gid } = statSync(path);
  // in the owner's directory: no link is followed
  if (process.geteuid?.() === 0) lchownSync(fresh, uid, gid);
  renameSync(fresh, salvagedPath(path));
  syncDirectory(path);
  const kept = swap(path);
  const orphans = counts.orphans === 0 ? '' : `, content of ${counts.orphans} without envelope left behind`;
  return [
    `${databaseName} is damaged: ${cause}`,
    `${databaseName}: ${counts.messages} messages saved${orphans}; the damaged file is kept as ${kept}`,
    ...lines,
  ];
}

/** Rows are told apart by their columns, and taken once. */
function copyRows(path: string, database: DatabaseSync): { readonly messages: number; readonly orphans: number } {
  const insert = (table: string, columns: number): ((row: ScannedRow) => void) => {
    const marks = Array.from({ length: columns }, () => '?').join(',');
    const statement = database.prepare(`INSERT OR IGNORE INTO ${table} VALUES (${marks})`);
    return ({ rowid, values }) => {
      const given: SQLInputValue[] = [rowid, ...values.slice(1)];
      try {
        statement.run(...given);
      } catch {
        // a row with values of the wrong kind is damaged: it stays in the old file
      }
    };
  };
  const message = insert('messages', 15);
  const content = insert('contents', 4);
  const progress = insert('progress', 4);
  const holder = insert('holders', 3);
  const arriving = insert('arriving', 2);
  database.exec('BEGIN');
  for (const row of scanRows(path)) {
    const { values } = row;
    const last = values.at(-1);
    if (values.length === 15) message(row);
    else if (values.length === 4 && typeof last === 'string') progress(row);
    else if (values.length === 4) content(row);
    else if (values.length === 3) holder(row);
    else if (values.length === 2 && typeof last === 'number') arriving(row);
    else if (values.length === 1 && typeof last === 'number')
      database.prepare('UPDATE serials SET next = max(next, ?)').run(last);
  }
  const [orphans] = numbers(
    database,
    `SELECT count(DISTINCT key / ${partsPerMessage}) AS n FROM contents WHERE ${withoutEnvelope}`,
  );
  database.exec(`DELETE FROM contents WHERE ${withoutEnvelope}; DELETE FROM progress WHERE ${withoutEnvelope}`);
  database.exec('COMMIT');
  const [messages] = numbers(database, 'SELECT count(*) AS n FROM messages');
  return { messages: messages ?? 0, orphans: orphans ?? 0 };
}

const withoutEnvelope = `key / ${partsPerMessage} NOT IN (SELECT serial FROM messages UNION SELECT serial FROM arriving)`;

/** Messages whose content or recipients are not all there go to corrupt; gives a log line each. */
function setIncompleteAside(database: DatabaseSync): readonly string[] {
  const first = `serial * ${partsPerMessage}`;
  const lacksContent = `content_bytes > 0 AND content_bytes <>
    (SELECT coalesce(sum(length(data)), 0) FROM contents WHERE key >= ${first} AND key < ${first} + ${firstRecipientPart})`;
  const lacksRecipients = `recipients LIKE '{%' AND json_valid(recipients)
    AND (recipients ->> 'total' + recipients ->> 'partSize' - 1) / (recipients ->> 'partSize') <>
    (SELECT count(*) FROM contents WHERE key >= ${first} + ${firstRecipientPart} AND key < ${first} + ${partsPerMessage})`;
  const move = database.prepare(`UPDATE messages SET queue = ${queueNumbers.corrupt}, holder = 0 WHERE serial = ?`);
  const setAside = (what: string, lacks: string): readonly string[] =>
    database
      .prepare(`SELECT serial, id, queue FROM messages WHERE queue <> ${queueNumbers.corrupt} AND ${lacks}`)
      .all()
      .map(({ serial, id, queue }) => {
        move.run(Number(serial));
        return corruptWarning(String(id), queueNameOf(Number(queue)), `${what} missing`);
      });
  return [...setAside('content is', lacksContent), ...setAside('recipients are', lacksRecipients)];
}

function numbers(database: DatabaseSync, sql: string): readonly number[] {
  return database
    .prepare(sql)
    .all()
    .map((row) => Number(row['n']));
}

function salvagedPath(path: string): string {
  return `${path}.salvaged`;
}

/** Puts the new file in the damaged one's place; gives the damaged one's new name. */
function swap(path: string): string {
  const directory = corruptDirectory(path);
  const kept = join(directory, `${databaseName}-${statSync(salvagedPath(path)).ino}`);
  for (const suffix of ['', '-wal']) {
    if (existsSync(path + suffix) && !existsSync(kept + suffix)) linkSync(path + suffix, kept + suffix);
  }
  syncDirectory(kept);
  // a log that outlived its database would be played into the new one
  for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true });
  syncDirectory(path);
  renameSync(salvagedPath(path), path);
  syncDirectory(path);
  return kept;
}

function corruptDirectory(path: string): string {
  const directory = join(dirname(path), 'corrupt');
  try {
    mkdirSync(directory, { mode: 0o700, recursive: true });
    return directory;
  } catch {
    return dirname(path); // $queue_directory belongs to root: beside the database then
  }
}

function syncDirectory(path: string): void {
  const handle = openSync(dirname(path), 'r');
  fsyncSync(handle);
  closeSync(handle);
}
