/** Steps that follow each other though some have to wait; while none does, all of it is synchronous. */
import type { MaybePromise } from '#message';
import { run, type Steps } from './steps.ts';

export class Turns {
  /** Work that must finish before the next step; undefined: nothing waits. */
  #last: Promise<void> | undefined;

  /** Runs a step after those before it. */
  take(step: () => Steps<void>): MaybePromise<void> {
    const before = this.#last;
    const wait = before === undefined ? run(step()) : before.then(() => run(step()));
    if (wait === undefined) return undefined;
    const turn: Promise<void> = wait.then(() => {
      if (this.#last === turn) this.#last = undefined;
    });
    this.#last = turn;
    return turn;
  }
}
