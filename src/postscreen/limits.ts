/**
 * How many clients may be here: of one address, and of all that are being tested. postconf(5)
 * postscreen_client_connection_count_limit, postscreen_pre_queue_limit
 */
import type { EventChannel } from '#events';

/** Parts of postscreen_pre_queue_limit at which time limits get short, and long again. postscreen(8), STRESS */
const stressBegins = 0.9;
const stressEnds = 0.7;

export class ScreeningLimits {
  readonly #preQueueLimit: number;
  readonly #events: EventChannel;
  readonly #perClient = new Map<string, number>();
  #tested = 0;
  #isStressed = false;

  constructor(preQueueLimit: number, events: EventChannel) {
    this.#preQueueLimit = preQueueLimit;
    this.#events = events;
  }

  /** A connection begins; gives how many its client has now. */
  enter(address: string): number {
    const count = (this.#perClient.get(address) ?? 0) + 1;
    this.#perClient.set(address, count);
    this.#tested += 1;
    if (!this.#isStressed && this.#tested >= Math.floor(this.#preQueueLimit * stressBegins)) this.#setStress(true);
    return count;
  }

  /** The connection has ended, or a real server has it. */
  leave(address: string): void {
    const count = (this.#perClient.get(address) ?? 0) - 1;
    if (count > 0) this.#perClient.set(address, count);
    else this.#perClient.delete(address);
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
