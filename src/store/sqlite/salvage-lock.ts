/**
 * Keeps commits and the making anew of a damaged file apart, in whichever processes they are: what is committed to the
 * old file after its pages were read would be lost with it. A writer shares the lock while it finds the file and commits;
 * who makes the file anew has it alone.
 *
 * It is on a file of its own: the database's name is given to another file, and closing any descriptor of a database
 * would end the locks that SQLite holds on it.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { tryLockFile, tryShareFile, unlockFile } from '#native';

/** More than a long queue takes; a process that ends gives the lock up. */
const longestWaitMs = 60_000;
const pauseMs = 1;

export class SalvageLock {
  readonly #fd: number;
  readonly #share = (): boolean => tryShareFile(this.#fd);
  readonly #lock = (): boolean => tryLockFile(this.#fd, 'flock');

  constructor(databasePath: string) {
    const { O_RDONLY, O_CREAT, O_NOFOLLOW } = constants;
    this.#fd = openSync(`${databasePath}-lock`, O_RDONLY | O_CREAT | O_NOFOLLOW, 0o600);
  }

  /** Waits for who makes the file anew. Throws after a minute. */
  share(): void {
    if (!this.#share()) waitFor(this.#share);
  }

  /** Gives up its share, and waits for the other writers. Throws after a minute. */
  take(): void {
    this.release();
    waitFor(this.#lock);
  }

  release(): void {
    unlockFile(this.#fd);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Blocks: the thread has no other work, and must not commit anything before it has the lock. */
function waitFor(attempt: () => boolean): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (const giveUpAt = performance.now() + longestWaitMs; !attempt(); Atomics.wait(pause, 0, 0, pauseMs))
    if (performance.now() > giveUpAt) throw new Error('another process works on the damaged queue for too long');
}
