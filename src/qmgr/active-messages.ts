/** The messages that are active, in the order in which they became so, and how many of them are address probes. */
import { Roster } from '#message';
import type { ActiveMessage } from './active.ts';

export class ActiveMessages {
  readonly #messages = new Roster<string, ActiveMessage>();
  #probeCount = 0;

  get count(): number {
    return this.#messages.size;
  }

  get probeCount(): number {
    return this.#probeCount;
  }

  get(queueId: string): ActiveMessage | undefined {
    return this.#messages.get(queueId);
  }

  all(): Iterable<ActiveMessage> {
    return this.#messages.values();
  }

  add(message: ActiveMessage): void {
    this.#messages.set(message.queued.queueId, message);
    if (message.isAddressProbe) this.#probeCount += 1;
  }

  remove(message: ActiveMessage): void {
    const { queueId } = message.queued;
    // a flush may have taken it up again since it was written down as deferred
    if (this.#messages.get(queueId) === message) this.#messages.delete(queueId);
    if (message.isAddressProbe) this.#probeCount -= 1;
  }
}
