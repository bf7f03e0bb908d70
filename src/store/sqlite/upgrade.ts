/** A database of any earlier version becomes one of this version when it is opened; a new one is made. */
import type { DatabaseSync } from 'node:sqlite';
import type { Recipient } from '#message';
import { contentChecksum, rowChecksum } from './checksums.ts';
import { putProgress } from './progress-rows.ts';
import { changesByPart, outcomesOf } from './progress.ts';
import { partSize } from './recipient-parts.ts';
import { firstRecipientPart, padBytes, partsPerMessage, schema, schemaVersion } from './schema.ts';

/** Throws for a database of a later version. */
export function upgrade(database: DatabaseSync): void {
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (version > schemaVersion) throw new Error(`the queue is of a later version (${version}) of Posthorn`);
  database.exec(schema);
  if (version === schemaVersion) return;
  database.exec('BEGIN IMMEDIATE');
  if (version < 1) splitRecipients(database);
  database.exec(`PRAGMA user_version = ${schemaVersion}; COMMIT`);
}

/** Of the shortest JSON that many recipients have. */
const shortest = partSize * 50;

/**
 * Version 0 kept all recipients of a message in its row. What another process works on stays as it is, and is read so:
 * that process may be of the earlier version.
 */
function splitRecipients(database: DatabaseSync): void {
  const rows = database
    .prepare('SELECT serial FROM messages WHERE holder = 0 AND length(recipients) > ?')
    .all(shortest);
  for (const { serial } of rows) splitMessage(database, Number(serial));
}

function splitMessage(database: DatabaseSync, serial: number): void {
  const columns = database
    .prepare('SELECT envelope, recipients, outcomes, crc FROM messages WHERE serial = ?')
    .get(serial);
  const [envelope, text, outcomes] = ['envelope', 'recipients', 'outcomes'].map((name) => String(columns?.[name]));
  // what is damaged is set aside when it is claimed
  if (envelope === undefined || text === undefined || rowChecksum(envelope, text) !== columns?.['crc']) return;
  const recipients: readonly Recipient[] = JSON.parse(text);
  if (recipients.length <= partSize) return;
  const put = database.prepare('INSERT INTO contents (key, crc, data, pad) VALUES (?, ?, ?, zeroblob(?))');
  for (let from = 0; from < recipients.length; from += partSize) {
    const data = Buffer.from(JSON.stringify(recipients.slice(from, from + partSize)));
    const key = serial * partsPerMessage + firstRecipientPart + from / partSize;
    put.run(key, contentChecksum(data), data, padBytes(data.length));
  }
  const known = outcomesOf(outcomes ?? '');
  const deferred = known.filter(({ kind }) => kind === 'deferred');
  const done = known.filter(({ kind }) => kind !== 'deferred').map(({ index }) => index);
  const changes = changesByPart(deferred, done, partSize);
  putProgress({ kind: 'progress', serial, partSize, changes }, (sql) => database.prepare(sql));
  const overview = JSON.stringify({ total: recipients.length, partSize });
  database
    .prepare("UPDATE messages SET recipients = ?, crc = ?, outcomes = '' WHERE serial = ?")
    .run(overview, rowChecksum(envelope, overview), serial);
}
