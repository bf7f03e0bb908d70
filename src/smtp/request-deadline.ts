/** Time left for one request, whose bytes earn more of it. postconf(5) smtpd_min_data_rate, smtp_min_data_rate */
export interface DeadlineLimits {
  /** What a request begins with, and never has more than. */
  readonly timeoutMs: number;
  /** Bytes a second. */
  readonly minDataRate: number;
}

export class RequestDeadline {
  readonly #limits: DeadlineLimits;
  #leftMs: number;

  constructor(limits: DeadlineLimits) {
    this.#limits = limits;
    this.#leftMs = limits.timeoutMs;
  }

  get leftMs(): number {
    return this.#leftMs;
  }

  /** How long to wait for more: Postfix rounds up to whole seconds. 0: no longer. */
  get waitMs(): number {
    return Math.max(0, Math.ceil(this.#leftMs / 1000) * 1000);
  }

  /** A new request. */
  begin(): void {
    this.#leftMs = this.#limits.timeoutMs;
  }

  /** Time that went by waiting; it comes off before bytes add to what is left. */
  spend(ms: number): void {
    this.#leftMs -= ms;
  }

  earn(bytes: number): void {
    const { timeoutMs, minDataRate } = this.#limits;
    this.#leftMs = Math.min(timeoutMs, this.#leftMs + (bytes * 1000) / minDataRate);
  }
}
