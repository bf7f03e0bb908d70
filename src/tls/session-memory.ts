/** What is remembered of TLS sessions: in memory, whatever file Postfix would keep them in, so they end with the process. */

/** The oldest give way. */
const maxSessions = 5000;

export class SessionMemory<T> {
  readonly #sessions = new Map<string, { readonly value: T; readonly expiresAt: number }>();
  readonly #ttlMs: number;
  readonly #now: () => number;

  constructor(ttlMs: number, now: () => number) {
    this.#ttlMs = ttlMs;
    this.#now = now;
  }

  set(key: string, value: T): void {
    // the newest stand last
    this.#sessions.delete(key);
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size >= maxSessions && oldest !== undefined) this.#sessions.delete(oldest);
    this.#sessions.set(key, { value, expiresAt: this.#now() + this.#ttlMs });
  }

  get(key: string): T | undefined {
    const found = this.#sessions.get(key);
    return found !== undefined && found.expiresAt > this.#now() ? found.value : undefined;
  }

  delete(key: string): void {
    this.#sessions.delete(key);
  }
}
