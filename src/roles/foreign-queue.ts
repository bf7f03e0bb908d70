/** Mail that Postfix itself left in the queue directory: its files are nobody's here, so it would wait unseen. */
import { type Dirent, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { placeOf, type Settings } from '#config';

const queues = ['incoming', 'active', 'deferred', 'hold'];

/** What a queue file is called, with short or long queue IDs. postconf(5) enable_long_queue_ids */
const fileName = /^[0-9A-Za-z]{6,}$/;
/** Directories that keep a queue apart by characters of the name. postconf(5) hash_queue_depth */
const hashName = /^[0-9A-Za-z]$/;
const maxDepth = 16;

/** No more are counted: a start doesn't wait for it. */
const enough = 1000;

function entriesOf(directory: string): readonly Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    // not there, or not for us to see
    return [];
  }
}

function countFiles(directory: string, room: number, depth = 0): number {
  let found = 0;
  for (const entry of entriesOf(directory)) {
    if (found >= room) break;
    if (entry.isFile() && fileName.test(entry.name)) found += 1;
    else if (entry.isDirectory() && hashName.test(entry.name) && depth < maxDepth)
      found += countFiles(join(directory, entry.name), room - found, depth + 1);
  }
  return found;
}

/** One line when there is such mail. */
export function foreignMail(settings: Settings): readonly string[] {
  const directory = settings.string('queue_directory');
  let count = 0;
  const holding = queues.filter((queue) => {
    const found = countFiles(join(directory, queue), enough - count);
    count += found;
    return found > 0;
  });
  if (count === 0) return [];
  const amount = `${count < enough ? count : `${enough} or more`} ${count === 1 ? 'message' : 'messages'}`;
  const what = `${directory}: ${amount} of Postfix itself (${holding.join(', ')})`;
  return [
    `${placeOf(settings.origin('queue_directory'))}${what}; they are not taken over, as it stands they wait unseen: ` +
      'let Postfix deliver them before the move',
  ];
}
