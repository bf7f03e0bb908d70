/**
 * Mail that arrives faster than the queue manager takes it up is slowed down, not stopped. in_flow_delay
 *
 * While messages wait in incoming, each new one needs a token; there are default_process_limit of them, and one comes
 * back for each message that becomes active. Who finds none pauses for in_flow_delay.
 */
import { setTimeout } from 'node:timers/promises';

export class InFlow {
  readonly #limit: number;
  readonly #sleep: (ms: number) => Promise<void>;
  #tokens: number;
  #isBehind = false;

  constructor(processLimit: number, sleep: (ms: number) => Promise<void> = (ms) => setTimeout(ms)) {
    this.#limit = processLimit;
    this.#tokens = processLimit;
    this.#sleep = sleep;
  }

  /** For a message that is about to be queued: how long it waits first; undefined: not at all. */
  pause(delayMs: number): Promise<void> | undefined {
    if (!this.#isBehind || delayMs === 0) return undefined;
    if (this.#tokens === 0) return this.#sleep(delayMs);
    this.#tokens -= 1;
    return undefined;
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
