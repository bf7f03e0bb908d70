/** How what was written gets onto the disk, and who waits for it. fsync(2) */
import { fsync, fsyncSync } from 'node:fs';
import type { MaybePromise } from '#message';

/** Comes to its end when the file is on disk; throws or rejects when it can't be. */
export type SyncFile = (fd: number) => MaybePromise<void>;

/** By another thread, of which there are some: for a process with other work, and for a disk that takes its time. */
export const syncInThread: SyncFile = (fd) =>
  new Promise((resolve, reject) => {
    fsync(fd, (error) => (error === null ? resolve() : reject(error)));
  });

export interface SyncMeans {
  readonly here: (fd: number) => void;
  readonly inThread: SyncFile;
  /** ms, of a clock that only goes forward. */
  readonly now: () => number;
}

/** A sync on an idle disk takes up to this even where the machine is busy. Slower ones are left to threads, several at once. */
const quickMs = 2;
/** One sync that takes so long is enough to leave the next ones to threads: all other work stood still meanwhile. */
const stuckMs = 100;
/** The disk counts as slow once so many more syncs were slow than quick: a single one says little. */
const slowEnough = 8;
/** After that the disk is tried again; each time it is still slow, the next rest is longer. */
const restMs = 1000;
const longestRestMs = 60_000;

/**
 * For a process that does nothing else: a quick disk is waited for in place, because handing the file to a thread and
 * hearing of it takes two switches and as much CPU as the rest of a small delivery.
 */
export function syncInPlace(
  { here, inThread, now }: SyncMeans = { here: fsyncSync, inThread: syncInThread, now: () => performance.now() },
): SyncFile {
  let slowOnes = 0;
  let slowUntil = 0;
  let nextRestMs = restMs;
  return (fd) => {
    const startedAt = now();
    if (startedAt < slowUntil) return inThread(fd);
    here(fd);
    const endedAt = now();
    const tookMs = endedAt - startedAt;
    const isQuick = tookMs <= quickMs;
    // after a slow time the first one decides
    if (slowUntil > 0) slowOnes = isQuick ? 0 : slowEnough;
    else if (tookMs > stuckMs) slowOnes = slowEnough;
    else slowOnes = Math.max(0, slowOnes + (isQuick ? -1 : 1));
    if (slowOnes < slowEnough) {
      slowUntil = 0;
      if (isQuick) nextRestMs = restMs;
      return;
    }
    slowUntil = endedAt + nextRestMs;
    nextRestMs = Math.min(nextRestMs * 2, longestRestMs);
  };
}
