/** The maildrop directory, for commands that show or change the queue: what sendmail left and nobody took up yet. */
import { readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';

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
    const { sender, recipients, createdAt } = file.envelope;
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

/** Removes files by name; undefined: all that are complete. Gives the names of those removed. */
export async function removeFromMaildrop(
  queueDirectory: string,
  names: readonly string[] | undefined,
): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const { queueId } of await readMaildrop(queueDirectory)) {
    if (names?.includes(queueId) === false) continue;
    await unlink(`${queueDirectory}/maildrop/${queueId}`);
    removed.push(queueId);
  }
  return removed;
}
