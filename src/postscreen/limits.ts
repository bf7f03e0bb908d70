/**
 * How many clients may be here: of one address, and of all that are being tested. postconf(5)
 * postscreen_client_connection_count_limit, postscreen_pre_queue_limit
 */
import type { EventChannel } from '#events';
import type { CacheEntry } from './cache-entry.ts';

/** Parts of postscreen_pre_queue_limit at which time limits get short, and long again. postscreen(8), STRESS */
const stressBegins = 0.9;
const stressEnds = 0.7;

/** A client while it is here; its connections share what is found out about it. */
export interface PresentClient {
  connections: number;
  /** Tests that it passed on any of them; undefined: none. */
  results: CacheEntry | undefined;
  /** `PASS NEW` has been said. */
  hasPassed: boolean;
}

export class ScreeningLimits {
  readonly #preQueueLimit: number;
  readonly #events: EventChannel;
  readonly #clients = new Map<string, PresentClient>();
  #tested = 0;
  #isStressed = false;

  constructor(preQueueLimit: number, events: EventChannel) {
    this.#preQueueLimit = preQueueLimit;
    this.#events = events;
  }

  /** A connection begins. */
  enter(address: string): PresentClient {
    const client = this.#clients.get(address) ?? { connections: 0, results: undefined, hasPassed: false };
    client.connections += 1;
    this.#clients.set(address, client);
    this.#tested += 1;
    if (!this.#isStressed && this.#tested >= Math.floor(this.#preQueueLimit * stressBegins)) this.#setStress(true);
    return client;
  }

  /** The connection has ended, or a real server has it. */
  leave(address: string): void {
    const client = this.#clients.get(address);
    if (client !== undefined) client.connections -= 1;
    if (client?.connections === 0) this.#clients.delete(address);
    this.#tested -= 1;
    if (this.#isStressed && this.#tested <= Math.floor(this.#preQueueLimit * stressEnds)) this.#setStress(false);
  }

  get isFull(): boolean {
    return this.#tested >= this.#preQueueLimit;
  }

  get isStressed(): boolean {
    return this.#isStressed;
  }

  #setStress(entering: boolean): void {
    this.#isStressed = entering;
    this.#events.emit({ kind: 'stress', entering, connections: this.#tested });
  }
}
