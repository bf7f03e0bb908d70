/**
 * Mail that arrives faster than the queue manager takes it up is slowed down, not stopped. in_flow_delay
 *
 * While messages wait in incoming, each new one needs a token; there are default_process_limit of them, and one comes
 * back for each message that becomes active. Who finds none pauses for in_flow_delay.
 */
export class InFlow {
  readonly #limit: number;
  #tokens: number;
  #isBehind = false;

  constructor(processLimit: number) {
    this.#limit = processLimit;
    this.#tokens = processLimit;
  }

  /** For a message that is about to be queued; false: it pauses first. */
  take(): boolean {
    if (!this.#isBehind) return true;
    if (this.#tokens === 0) return false;
    this.#tokens -= 1;
    return true;
  }

  /** A message had to stay in incoming. */
  fellBehind(): void {
    this.#isBehind = true;
  }

  /** So many messages left incoming. */
  took(count: number): void {
    this.#tokens = Math.min(this.#limit, this.#tokens + count);
  }

  /** Nothing waits in incoming. */
  caughtUp(): void {
    this.#isBehind = false;
    this.#tokens = this.#limit;
  }
}
