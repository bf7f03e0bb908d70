/** Works that must not overlap. */

export class InTurn {
  #last: Promise<unknown> = Promise.resolve();

  /** Begins when all that was asked for before has ended, however. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
