/** Tables of the queue database. One row a message, its content beside it so that a change of state writes little. */
import type { QueueName } from '#message';

/** Queue names as numbers in the `queue` column. */
export const queueNumbers: Readonly<Record<QueueName, number>> = {
  incoming: 0,
  active: 1,
  deferred: 2,
  hold: 3,
  corrupt: 4,
  maildrop: 5,
};
const names: readonly QueueName[] = ['incoming', 'active', 'deferred', 'hold', 'corrupt', 'maildrop'];

export function queueNameOf(number: number): QueueName {
  return names[number] ?? 'corrupt';
}

/**
 * SQL for the queue in which commands find a message: what goes on hold, or to `maildrop`, after its delivery is there
 * already, as in Postfix.
 */
export const queueAsked = `(CASE WHEN queue <> ${queueNumbers.active} OR wanted = 0 THEN queue WHEN wanted = 1 THEN ${queueNumbers.hold} ELSE ${queueNumbers.maildrop} END)`;

export const databaseName = 'posthorn.db';

/** What the store keeps below its directory while all is well. */
export const storeFileNames = ['', '-wal', '-shm', '-reserve', '-lock'].map((suffix) => `${databaseName}${suffix}`);

/** What the log says of a message that can't be delivered any more, whoever finds out. */
export function corruptWarning(queueId: string, queue: string, reason: string): string {
  return `saving corrupt file "${queueId}" from queue "${queue}" to queue "corrupt": ${databaseName}: ${reason}`;
}

/** Queue IDs have 11 characters from the start, as Postfix's have on a real file system. */
const firstSerial = 0x100000;

export const pageBytes = 8192;

/** Pragmas of every connection that writes. FULL: a commit has reached the disk when it returns. */
export const writerPragmas = `
  PRAGMA page_size = ${pageBytes};
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA journal_size_limit = 67108864;
  PRAGMA busy_timeout = 10000;
`;

/** Of the tables as they are here; a file of a later version is not opened. 1: recipients in parts. */
export const schemaVersion = 1;

/**
 * `crc` covers envelope and recipients. `arriving` lists messages whose content comes in parts and that have no row yet.
 * The indexes hold literal queue numbers, as only then the planner uses them.
 *
 * `holder` is the lease: 0, or the number of the process that works on the message. `wanted` is what a command asked
 * for while a delivery ran: 1 hold, 2 requeue; 2 also for what was claimed from `maildrop`.
 *
 * `recipients` and `outcomes` are JSON. Of a message of many recipients the one says how many parts there are, and the
 * other is empty: the recipients stand in `contents`, in parts, and `progress` holds what is known of each part: a bit
 * for each recipient that is done, which `crc` covers, and the outcomes that somebody will ask for. Without a row nothing
 * is known yet.
 *
 * `sites` names the domains that a deferred message waits for, of those that somebody may ask for.
 *
 * `pad` fills the pages that a part of content lies on, so that damage to a page hurts one message.
 */
export const schema = `
  CREATE TABLE IF NOT EXISTS messages (
    serial INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    queue INTEGER NOT NULL,
    holder INTEGER NOT NULL,
    due INTEGER NOT NULL,
    size INTEGER NOT NULL,
    content_bytes INTEGER NOT NULL,
    header_bytes INTEGER NOT NULL,
    warned INTEGER NOT NULL DEFAULT 0,
    expire INTEGER NOT NULL DEFAULT 0,
    wanted INTEGER NOT NULL DEFAULT 0,
    envelope TEXT NOT NULL,
    recipients TEXT NOT NULL,
    crc INTEGER NOT NULL,
    outcomes TEXT NOT NULL DEFAULT ''
  ) STRICT;
  CREATE INDEX IF NOT EXISTS incoming ON messages (due) WHERE queue = 0;
  CREATE INDEX IF NOT EXISTS deferred ON messages (due) WHERE queue = 2;
  CREATE INDEX IF NOT EXISTS maildrop ON messages (due) WHERE queue = 5;
  CREATE INDEX IF NOT EXISTS leased ON messages (holder) WHERE queue = 1;
  CREATE TABLE IF NOT EXISTS contents (
    key INTEGER PRIMARY KEY,
    crc INTEGER NOT NULL,
    data BLOB NOT NULL,
    pad BLOB
  ) STRICT;
  CREATE TABLE IF NOT EXISTS progress (
    key INTEGER PRIMARY KEY,
    crc INTEGER NOT NULL,
    done BLOB NOT NULL,
    outcomes TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS sites (
    serial INTEGER NOT NULL,
    domain TEXT NOT NULL,
    PRIMARY KEY (serial, domain)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS site ON sites (domain, serial);
  CREATE TABLE IF NOT EXISTS arriving (serial INTEGER PRIMARY KEY, holder INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS holders (number INTEGER PRIMARY KEY, pid INTEGER NOT NULL, started TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS serials (next INTEGER NOT NULL) STRICT;
  INSERT INTO serials SELECT ${firstSerial} WHERE NOT EXISTS (SELECT 1 FROM serials);
`;

/** Content parts of a message have keys from `serial * partsPerMessage` on, in order. */
export const partsPerMessage = 1 << 20;
/** Where among them the parts of recipients begin. */
export const firstRecipientPart = 1 << 19;

/** What a part's row has beside its content: the sizes and kinds of its columns, and its checksum; at most. */
const rowOverheadBytes = 24;
/** What a row may have to lie on a page whole, and what each page after it takes. sqlite.org/fileformat2.html, 1.6 */
const firstPageBytes = pageBytes - 35;
const furtherPageBytes = pageBytes - 4;

/** How many bytes fill the last page of a part of content, so that nothing of another message comes to lie there. */
export function padBytes(contentBytes: number): number {
  const beyondFirst = contentBytes + rowOverheadBytes - firstPageBytes;
  return Math.ceil(Math.max(beyondFirst, 0) / furtherPageBytes) * furtherPageBytes - beyondFirst;
}

/** How many serial numbers a process takes at once. */
export const serialBlock = 1 << 16;
