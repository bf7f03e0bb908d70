/** What stands for a cache that can't be used: it knows nothing, keeps nothing, and says so. */
import type { Cache } from './cache.ts';

/** `reason`: why it can't be opened; undefined: it can, and fails (`fail:`). */
export function brokenCache(name: string, reason: string | undefined, warn: (text: string) => void): Cache {
  const told = new Map<string, number>();
  const complain = (kind: string, text: string): void => {
    // one of a kind a second
    const second = Math.floor(performance.now() / 1000);
    if (told.get(kind) === second) return;
    told.set(kind, second);
    warn(`${name}: ${text}`);
  };
  const touch = (): void => {
    if (reason !== undefined) warn(`${name} is unavailable. ${reason}`);
  };
  return {
    name,
    isBroken: true,
    get: (key) => {
      touch();
      complain('get', `cache lookup for '${key}' failed due to error`);
      return undefined;
    },
    set: (key) => {
      touch();
      complain('set', `could not update entry for ${key}`);
    },
    delete: touch,
    entries: () => {
      // when they were looked through last, then the first of them
      touch();
      touch();
      warn(`${name}: sequence error`);
      warn(`${name}: cache cleanup scan terminated due to error`);
      return [];
    },
    close: () => undefined,
  };
}
