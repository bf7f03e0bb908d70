/** Work of which only so much may be under way at a time: more waits its turn, the first who came first. */
export class Turns {
  readonly #limit: number;
  readonly #patienceMs: number;
  #running = 0;
  readonly #waiting = new Set<() => void>();

  constructor(limit: number, patienceMs: number) {
    this.#limit = limit;
    this.#patienceMs = patienceMs;
  }

  /** What the work gives; undefined when its turn did not come in time. */
  async take<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (this.#running >= this.#limit && !(await this.#turn())) return undefined;
    this.#running++;
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  /** False: it took too long. */
  #turn(): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const start = (): void => {
      clearTimeout(timer);
      resolve(true);
    };
    const timer = setTimeout(() => {
      this.#waiting.delete(start);
      resolve(false);
    }, this.#patienceMs);
    this.#waiting.add(start);
    return promise;
  }

  #leave(): void {
    this.#running--;
    const [next] = this.#waiting;
    if (next === undefined) return;
    this.#waiting.delete(next);
    next();
  }
}
