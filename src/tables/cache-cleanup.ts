/** Takes old entries out of a cache, from time to time, and remembers in it when that was done. postconf(5) *_cleanup_interval */
import { longestTimerMs } from '#message';
import type { Cache } from './cache.ts';

export interface CacheCleanupOptions {
  /** 0: never. */
  readonly intervalMs: number;
  readonly keeps: (key: string, value: string) => boolean;
  /** `text`: what became of it, for the log. */
  readonly onCleaned: (text: string) => void;
  readonly now: () => number;
}

/** Where Postfix's caches hold the time (seconds since the epoch) of the last whole cleanup. */
const lastCleanupKey = '_LAST_CACHE_CLEANUP_COMPLETED_';
/** Entries at a time; mail goes on in between. */
const sliceEntries = 200;

/** Begins as soon as a cleanup is due; `stop` ends it. */
export function keepCacheClean(cache: Cache, options: CacheCleanupOptions): { stop(): void } {
  const { intervalMs, now } = options;
  const isBroken = cache.isBroken === true;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const schedule = (delayMs: number): void => {
    // what the cache holds now, not what comes in meanwhile
    if (delayMs <= 0) return void run();
    timer = setTimeout(() => void run(), Math.min(delayMs, longestTimerMs));
    timer.unref();
  };
  const run = async (): Promise<void> => {
    const counts = await cleanOnce(cache, options, () => isStopped);
    if (counts === undefined) return;
    if (!isBroken) cache.set(lastCleanupKey, String(Math.floor(now() / 1000)));
    const kind = isBroken ? 'partial' : 'full';
    const { retained, dropped } = counts;
    options.onCleaned(`cache ${cache.name} ${kind} cleanup: retained=${retained} dropped=${dropped} entries`);
    schedule(intervalMs);
  };
  if (intervalMs > 0) {
    const last = isBroken ? 0 : Number(cache.get(lastCleanupKey) ?? 0) * 1000;
    schedule(Math.min(last + intervalMs - now(), intervalMs));
  }
  return {
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

/** Undefined: stopped in between. */
async function cleanOnce(
  cache: Cache,
  { keeps }: CacheCleanupOptions,
  isStopped: () => boolean,
): Promise<{ readonly retained: number; readonly dropped: number } | undefined> {
  let retained = 0;
  let dropped = 0;
  for (const [key, value] of cache.entries()) {
    if (isStopped()) return undefined;
    if (key === lastCleanupKey) continue;
    if (keeps(key, value)) retained += 1;
    else {
      dropped += 1;
      cache.delete(key);
    }
    if ((retained + dropped) % sliceEntries === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return isStopped() ? undefined : { retained, dropped };
}
