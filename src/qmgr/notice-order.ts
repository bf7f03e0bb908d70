/** What a notice is about has left the queue before the notice is delivered: so the log tells both in their order. */
export class NoticeOrder {
  /** Settlements under way that may send a notice. */
  readonly #reporting = new Set<Promise<void>>();

  /** A settlement that may send a notice has begun. Resolves, or rejects, with it. */
  async reporting(settled: Promise<void>): Promise<void> {
    this.#reporting.add(settled);
    await settled.finally(() => this.#reporting.delete(settled));
  }

  /** What a notice waits for; undefined: nothing. */
  beforeNotice(): Promise<unknown> | undefined {
    return this.#reporting.size === 0 ? undefined : Promise.all(this.#reporting);
  }
}
