/** Outcomes of active messages are written down as they become known, so that a crash delivers little twice. */
import type { EventChannel } from '#events';
import type { QueueStore } from '#store';
import type { ActiveMessage } from './active.ts';
import { tellTrouble } from './trouble.ts';

export class OutcomeWriter {
  readonly #store: Pick<QueueStore, 'settle'>;
  readonly #events: EventChannel;
  readonly #underWay = new WeakMap<ActiveMessage, Promise<void>>();

  constructor(store: Pick<QueueStore, 'settle'>, events: EventChannel) {
    this.#store = store;
    this.#events = events;
  }

  /** One write at a time a message: while it is on its way, further outcomes gather. */
  begin(message: ActiveMessage): void {
    if (message.attempt.hasUnwritten && !this.#underWay.has(message)) this.#underWay.set(message, this.#write(message));
  }

  async #write(message: ActiveMessage): Promise<void> {
    try {
      // when all is done the settlement goes on from here
      while (message.attempt.hasUnwritten && !message.isDone) await this.#writeOnce(message);
    } catch (error) {
      tellTrouble(message, error, this.#events);
    }
    this.#underWay.delete(message);
  }

  async #writeOnce({ queued: { queueId }, attempt }: ActiveMessage): Promise<void> {
    const findings = attempt.takeUnwritten();
    try {
      await this.#store.settle({ queueId, ...findings });
    } catch (error) {
      attempt.putBack(findings);
      throw error;
    }
  }

  /** Writes the rest of what is known of a message that stays active at a stop. */
  async writeRest(message: ActiveMessage): Promise<void> {
    try {
      await this.finish(message);
    } catch (error) {
      tellTrouble(message, error, this.#events);
    }
  }

  /** All that is known is in the store when this resolves. */
  async finish(message: ActiveMessage): Promise<void> {
    await this.#underWay.get(message);
    if (message.attempt.hasUnwritten) await this.#writeOnce(message);
  }
}
