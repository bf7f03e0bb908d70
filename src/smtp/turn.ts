/** What is done together in a turn of the event loop. */

/** Tasks that run one after the other when it is time. */
class Batch {
  readonly #schedule: (run: () => void) => void;
  #tasks: (() => void)[] = [];

  constructor(schedule: (run: () => void) => void) {
    this.#schedule = schedule;
  }

  add(task: () => void): void {
    if (this.#tasks.length === 0) this.#schedule(this.#run);
    this.#tasks.push(task);
  }

  readonly #run = (): void => {
    const tasks = this.#tasks;
    this.#tasks = [];
    for (const task of tasks) task();
  };
}

/**
 * Work of one kind goes on in a row: what has come from all clients is read before anybody works on it, and the answers go
 * out one after the other when all of them have been found. So each kind finds its code in the processor's caches, which
 * saves a tenth of the time. And a write wakes whoever waits at the other end: nobody is woken between two of them, and what
 * they say to it comes in one turn, too. Who is alone hardly waits for it.
 */
export class Turn {
  readonly #heard = new Batch(setImmediate);
  // what a promise's continuation adds runs when no other continuation is left
  readonly #answered = new Batch((run) => process.nextTick(run));

  /** `task` runs when all that can be read in this turn has been, in the order of adding. */
  whenAllHeard(task: () => void): void {
    this.#heard.add(task);
  }

  /** `task` runs when all that can be worked on now has been, in the order of adding. */
  whenAllAnswered(task: () => void): void {
    this.#answered.add(task);
  }
}
