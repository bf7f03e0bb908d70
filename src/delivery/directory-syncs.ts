/** What has come into a directory is synced together: one sync for all names that came while the last one ran. */
import { closeSync, constants, fsync, openSync } from 'node:fs';

interface Sync {
  readonly running: Promise<void>;
  /** The one behind it, for what came too late for it. */
  next: Promise<void> | undefined;
}

export class DirectorySyncs {
  readonly #syncs = new Map<string, Sync>();

  /** Resolves when all names that are in the directory now are on disk. fsync(2) */
  sync(path: string): Promise<void> {
    const known = this.#syncs.get(path);
    // a sync that is under way may have missed the newest names; the one behind it holds them all
    if (known !== undefined) return (known.next ??= known.running.catch(() => undefined).then(() => this.#start(path)));
    return this.#start(path);
  }

  #start(path: string): Promise<void> {
    const running = syncNow(path);
    const sync: Sync = { running, next: undefined };
    this.#syncs.set(path, sync);
    const forget = (): void => {
      if (this.#syncs.get(path) === sync && sync.next === undefined) this.#syncs.delete(path);
    };
    running.then(forget, forget);
    return running;
  }
}

/** Resolves when the file is on disk. */
export function synced(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fsync(fd, (error) => (error === null ? resolve() : reject(error)));
  });
}

async function syncNow(path: string): Promise<void> {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await synced(fd);
  } finally {
    closeSync(fd);
  }
}
