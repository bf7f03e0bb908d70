/** A file of the system that is read again when it changes, as the C library does. */
import { readFileSync, statSync } from 'node:fs';

/** How long a look at the file's time of change holds. */
const trustMs = 1000;

/**
 * What the file at a path says now. A missing file is an empty one, and one that can't be read stays as it was known.
 * The same value as long as it doesn't change. `now` in ms.
 */
export function openChangingFile<T>(path: string, now: () => number, parse: (text: string) => T): () => T {
  let parsed = parse('');
  let stamp = '';
  let lookedAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (Math.abs(now() - lookedAt) < trustMs) return parsed;
    lookedAt = now();
    try {
      const stat = statSync(path, { throwIfNoEntry: false });
      const fresh = stat === undefined ? '' : `${stat.ino} ${stat.mtimeMs} ${stat.size}`;
      if (fresh !== stamp) {
        parsed = parse(stat === undefined ? '' : readFileSync(path, 'utf8'));
        stamp = fresh;
      }
    } catch {
      // no descriptors or no permission: the C library goes on without a word
    }
    return parsed;
  };
}
