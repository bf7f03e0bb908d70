/** Writers of one process to the same file, one after the other: the locks are for other processes, and cost a wait. */
import { setImmediate as nextPhase } from 'node:timers/promises';

/** What a writer hears of the one before it. */
export interface Predecessor {
  /** ms since this writer asked for its turn. */
  readonly waitedMs: number;
  /** With what the one before failed; undefined: it did not. */
  readonly error: unknown;
}

/** Until what was answered is sent, and what has happened meanwhile is known: a channel that ended, for example. */
async function oneTurn(): Promise<void> {
  await nextPhase();
  await nextPhase();
}

export class PathTurns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Begins a turn of the event loop after all that was asked for before for this path has ended, however. */
  async run<T>(path: string, work: (before: Predecessor | undefined) => Promise<T>): Promise<T> {
    const askedAt = performance.now();
    const before = this.#last.get(path);
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#last.set(path, promise);
    try {
      const error = await before;
      if (before !== undefined) await oneTurn();
      const done = await work(before && { waitedMs: performance.now() - askedAt, error });
      resolve(undefined);
      return done;
    } catch (error) {
      resolve(error);
      throw error;
    } finally {
      if (this.#last.get(path) === promise) this.#last.delete(path);
    }
  }
}
