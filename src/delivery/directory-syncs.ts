/** What has come into a directory is synced together: one sync for all names of a turn of the event loop, or that came while the last one ran. */
import { closeSync, constants, openSync } from 'node:fs';
import type { SyncFile } from './disk-syncs.ts';

interface Sync {
  readonly running: Promise<void>;
  /** It has not begun yet: what comes now is in it. */
  isGathering: boolean;
  /** The one behind it, for what came too late for it. */
  next: Promise<void> | undefined;
}

export class DirectorySyncs {
  readonly #syncs = new Map<string, Sync>();
  readonly #syncFile: SyncFile;

  constructor(syncFile: SyncFile) {
    this.#syncFile = syncFile;
  }

  /** Resolves when all names that are in the directory now are on disk. fsync(2) */
  sync(path: string): Promise<void> {
    const known = this.#syncs.get(path);
    if (known === undefined) return this.#start(path);
    if (known.isGathering) return known.running;
    // a sync that is under way may have missed the newest names; the one behind it holds them all
    return (known.next ??= known.running.catch(() => undefined).then(() => this.#start(path)));
  }

  #start(path: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const sync: Sync = { running: promise, isGathering: true, next: undefined };
    this.#syncs.set(path, sync);
    const forget = (): void => {
      if (this.#syncs.get(path) === sync && sync.next === undefined) this.#syncs.delete(path);
    };
    promise.then(forget, forget);
    setImmediate(() => {
      sync.isGathering = false;
      this.#syncNow(path).then(resolve, reject);
    });
    return promise;
  }

  async #syncNow(path: string): Promise<void> {
    const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await this.#syncFile(fd);
    } finally {
      closeSync(fd);
    }
  }
}
