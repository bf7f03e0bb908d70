/** Free space of the queue's file system, asked for at most once a second. queue_minfree */
import { statfs } from 'node:fs/promises';
import type { MaybePromise } from '#message';

const freshMs = 1000;

/** Free bytes for ordinary users; a file system that can't be asked has room. */
export function createFreeSpace(directory: string, now: () => number): () => MaybePromise<number> {
  let known = { bytes: 0, at: Number.NEGATIVE_INFINITY };
  const ask = async (): Promise<number> => {
    try {
      const { bavail, bsize } = await statfs(directory);
      known = { bytes: bavail * bsize, at: now() };
    } catch {
      // the queue itself will say what is wrong with its directory
      known = { bytes: Number.POSITIVE_INFINITY, at: now() };
    }
    return known.bytes;
  };
  return () => (now() - known.at < freshMs ? known.bytes : ask());
}
