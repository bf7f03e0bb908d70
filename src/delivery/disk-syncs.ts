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

/** A sync that takes longer, though others want the processor, is better waited for by threads, several at once. */
const quickMs = 2;
/** So many more slow syncs than quick ones say that the disk is slow: a single one says little. */
const patience = 8;
/** So long after that the disk is looked at again. */
const slowForMs = 1000;

/**
 * For a process that does nothing else: a quick disk is waited for in place, because handing the file to a thread and
 * hearing of it takes two switches and as much CPU as the rest of a small delivery.
 */
export function syncInPlace(
  { here, inThread, now }: SyncMeans = { here: fsyncSync, inThread: syncInThread, now: () => performance.now() },
): SyncFile {
  let slowOnes = 0;
  let slowUntil = 0;
  return (fd) => {
    const startedAt = now();
    if (startedAt < slowUntil) return inThread(fd);
    here(fd);
    const endedAt = now();
    const isQuick = endedAt - startedAt <= quickMs;
    // after a slow time the first one decides
    if (slowUntil > 0) slowOnes = isQuick ? 0 : patience;
    else slowOnes = Math.max(0, slowOnes + (isQuick ? -1 : 1));
    slowUntil = slowOnes < patience ? 0 : endedAt + slowForMs;
  };
}
