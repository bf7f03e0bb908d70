/** The maildrop directory, for commands that show or change the queue: what sendmail left and nobody took up yet. */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, errnoText } from '#native';

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

/** Names of the files; none where this user may not look. */
async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).toSorted();
  } catch {
    return []; // not there yet, or not for this user
  }
}

async function entryOf(directory: string, name: string): Promise<readonly MaildropEntry[]> {
  // there is seldom a file: only then is its reader loaded
  const { openMaildropFile } = await import('#pickup');
  const path = join(directory, name);
  try {
    const opened = await openMaildropFile(path);
    if (opened.kind !== 'open') return [];
    await using file = opened.file;
    const { size } = await stat(path);
    const { sender, createdAt } = file.envelope;
    const recipients = file.envelope.recipients.map(({ address }) => address);
    return [{ queueId: name, sender, recipients, arrivedAt: createdAt, sizeBytes: size }];
  } catch {
    return []; // pickup was faster
  }
}

/** Complete files, by name. */
export async function readMaildrop(queueDirectory: string): Promise<readonly MaildropEntry[]> {
  const directory = `${queueDirectory}/maildrop`;
  const found = await Promise.all((await namesIn(directory)).map((name) => entryOf(directory, name)));
  return found.flat();
}

/** Removes complete files by name, whatever is in them; undefined: all. Gives the names of those removed. */
export function removeFromMaildrop(
  queueDirectory: string,
  names: readonly string[] | undefined,
  warn: (text: string) => void,
): Promise<readonly string[]> {
  const meant = names && new Set(names);
  return removeFiles(
    `${queueDirectory}/maildrop`,
    (name, status) => isComplete(status) && meant?.has(name) !== false,
    warn,
  );
}

/** Removes what a crash of sendmail left: incomplete files that nobody has written to for a week. Gives their names. */
export async function sweepMaildrop(
  queueDirectory: string,
  warn: (text: string) => void,
  now = Date.now(),
): Promise<readonly string[]> {
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
  warn: (text: string) => void,
): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const name of await namesIn(directory)) {
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
