/** Deliveries and settlements under way: a stop waits for them. */
export class WorkUnderWay {
  #count = 0;
  #whenIdle: (() => void) | undefined;

  begin(): void {
    this.#count += 1;
  }

  /** To be called when what follows from the work has begun. */
  end(): void {
    this.#count -= 1;
    if (this.#count === 0) this.#whenIdle?.();
  }

  /** Resolves when nothing is under way, or after `deadlineMs`. */
  async idle(deadlineMs: number): Promise<void> {
    if (this.#count === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, deadlineMs);
      this.#whenIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
