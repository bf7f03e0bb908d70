/** How a client does in its tests, from what the cache knows to what it will know. */
import { type CacheEntry, newClient, type Test, testNames, testsDue } from './cache-entry.ts';

export interface TestResultsOptions {
  /** Undefined: nothing is known of the client. */
  readonly cached: CacheEntry | undefined;
  readonly enabled: ReadonlySet<Test>;
  readonly nowSeconds: number;
  /** Told of each test that is passed. */
  readonly onNews?: (known: CacheEntry) => void;
}

export class TestResults {
  readonly #enabled: ReadonlySet<Test>;
  readonly #due: Set<Test>;
  readonly #failed = new Set<Test>();
  readonly #entry: Record<Test, number>;
  /** A test never passed before is due. */
  readonly isNewClient: boolean;
  readonly #onNews: (known: CacheEntry) => void;
  #hasNews = false;

  constructor({ cached, enabled, nowSeconds, onNews = () => {} }: TestResultsOptions) {
    this.#enabled = enabled;
    this.#onNews = onNews;
    this.#entry = { ...(cached ?? newClient) };
    this.#due = new Set(testsDue(this.#entry, enabled, nowSeconds));
    this.isNewClient = cached === undefined || testNames.some((test) => this.#due.has(test) && cached[test] === 0);
  }

  isDue(test: Test): boolean {
    return this.#due.has(test);
  }

  get failed(): boolean {
    return this.#failed.size > 0;
  }

  /** Nothing is left to be tested. */
  get isComplete(): boolean {
    return this.#due.size === 0;
  }

  pass(test: Test, expiresSeconds: number): void {
    if (!this.#due.delete(test)) return;
    this.#entry[test] = expiresSeconds;
    this.#tell();
  }

  /** Every test counts as passed for this long; results that last longer stay. postscreen_dnsbl_allowlist_threshold */
  passAll(expiresSeconds: number): void {
    for (const test of testNames) this.#entry[test] = Math.max(this.#entry[test], expiresSeconds);
    this.#due.clear();
    this.#tell();
  }

  /** Even a test that was passed can be failed later. */
  fail(test: Test): void {
    this.#due.delete(test);
    this.#failed.add(test);
  }

  /** A failure that is only noted counts as passed until any other result may expire. */
  overlook(test: Test, expiresSeconds: number): void {
    this.#due.delete(test);
    if (!this.#enabled.has(test)) return;
    this.#entry[test] = expiresSeconds;
    this.#tell();
  }

  #tell(): void {
    this.#hasNews = true;
    this.#onNews({ ...this.#entry });
  }

  /** What the cache is to hold; undefined: nothing was passed. */
  get news(): CacheEntry | undefined {
    return this.#hasNews ? this.#entry : undefined;
  }
}
