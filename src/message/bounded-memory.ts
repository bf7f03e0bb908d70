/** What is remembered for a time: the oldest give way. */

export interface BoundedMemoryOptions {
  readonly ttlMs: number;
  readonly maxEntries: number;
  /** ms, of any clock. */
  readonly now: () => number;
}

export class BoundedMemory<T> {
  readonly #entries = new Map<string, { readonly value: T; readonly expiresAt: number }>();
  readonly #options: BoundedMemoryOptions;

  constructor(options: BoundedMemoryOptions) {
    this.#options = options;
  }

  set(key: string, value: T): void {
    const { ttlMs, maxEntries, now } = this.#options;
    // the newest stand last
    this.#entries.delete(key);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size >= maxEntries && oldest !== undefined) this.#entries.delete(oldest);
    this.#entries.set(key, { value, expiresAt: now() + ttlMs });
  }

  get(key: string): T | undefined {
    const found = this.#entries.get(key);
    return found !== undefined && found.expiresAt > this.#options.now() ? found.value : undefined;
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}
