/** The maildrop directory, for commands that show or change the queue: what sendmail left and nobody took up yet. */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, errnoText } from '#native';
import { isQueueId } from './queue-id.ts';

/** How long a file rests until it counts as left by a crash: Postfix's postsuper(1) has the same. */
const abandonedMs = 7 * 86_400_000;

export interface MaildropEntry {
  readonly queueId: string;
  /** Internal form. */
  readonly sender: string;
  readonly recipients: readonly string[];
  /** ms since the epoch. */
  readonly arrivedAt: number;
  readonly sizeBytes: number;
}

type Warn = (text: string) => void;

/** Names of the files; `expected`: errors that say why there are none. */
async function namesIn(directory: string, expected: readonly string[], warn: Warn): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).toSorted();
  } catch (error) {
    if (!expected.includes(errnoOf(error))) warn(`scan maildrop: ${errnoText(error)}`);
    return [];
  }
}

async function entryOf(directory: string, name: string, warn: Warn): Promise<MaildropEntry | undefined> {
  // there is seldom a file: only then is its reader loaded
  const { openMaildropFile } = await import('#pickup');
  try {
    const opened = await openMaildropFile(join(directory, name));
    if (opened.kind !== 'open') return undefined;
    await using file = opened.file;
    const { sender, createdAt } = file.envelope;
    const recipients = file.envelope.recipients.map(({ address }) => address);
    return { queueId: name, sender, recipients, arrivedAt: createdAt, sizeBytes: file.sizeBytes };
  } catch (error) {
    // pickup was faster
    if (errnoOf(error) !== 'ENOENT') warn(`open maildrop/${name}: ${errnoText(error)}`);
    return undefined;
  }
}

/**
 * Complete files, by name. One after the other: anybody may leave some, as many and with envelopes as large as pickup would
 * take.
 */
export async function* readMaildrop(queueDirectory: string, warn: Warn): AsyncGenerator<MaildropEntry, void> {
  const directory = `${queueDirectory}/maildrop`;
  // not there yet, or not for this user
  for (const name of await namesIn(directory, ['ENOENT', 'EACCES'], warn)) {
    // as in showq(8): what a file is called is its owner's affair, and ends up on terminals
    if (!isQueueId(name)) continue;
    const entry = await entryOf(directory, name, warn);
    if (entry !== undefined) yield entry;
  }
}

/** Removes complete files by name, whatever is in them; undefined: all. Gives the names of those removed. */
export function removeFromMaildrop(
  queueDirectory: string,
  names: readonly string[] | undefined,
  warn: Warn,
): Promise<readonly string[]> {
  const meant = names && new Set(names);
  return removeFiles(
    `${queueDirectory}/maildrop`,
    (name, status) => isComplete(status) && meant?.has(name) !== false,
    warn,
  );
}

/** Removes what a crash of sendmail left: incomplete files that nobody has written to for a week. Gives their names. */
export async function sweepMaildrop(queueDirectory: string, warn: Warn, now = Date.now()): Promise<readonly string[]> {
  const directory = await openPlace(`${queueDirectory}/maildrop`);
  if (directory === undefined) return [];
  try {
    const isLeft = (_name: string, status: Stats): boolean =>
      !isComplete(status) && status.mtimeMs <= now - abandonedMs;
    return await removeFiles(`/proc/self/fd/${directory.fd}`, isLeft, warn);
  } finally {
    await directory.close();
  }
}

/** Root sweeps, too, and by the open directory: whoever owns the queue could put a link in its place. */
async function openPlace(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch {
    return undefined; // not there yet, not for this user, or a link
  }
}

function isComplete({ mode }: Stats): boolean {
  return (mode & constants.S_IXUSR) !== 0;
}

/** Gives the names of those removed. */
async function removeFiles(
  directory: string,
  isMeant: (name: string, status: Stats) => boolean,
  warn: Warn,
): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const name of await namesIn(directory, ['ENOENT'], warn)) {
    const path = `${directory}/${name}`;
    try {
      const status = await lstat(path);
      if (!status.isFile() || !isMeant(name, status)) continue;
      await unlink(path);
      removed.push(name);
    } catch (error) {
      // pickup was faster; or its writer is done, or has given up
      if (errnoOf(error) !== 'ENOENT') warn(`remove maildrop/${name}: ${errnoText(error)}`);
    }
  }
  return removed;
}
