/** Writers of one process to the same file, one after the other: the locks are for other processes, and cost a wait. */

export class PathTurns {
  readonly #last = new Map<string, Promise<void>>();

  /** Begins when all that was asked for before for this path has ended, however. */
  async run<T>(path: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(path);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last.set(path, promise);
    await before;
    try {
      return await work();
    } finally {
      resolve();
      if (this.#last.get(path) === promise) this.#last.delete(path);
    }
  }
}
