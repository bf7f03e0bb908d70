/** A schedule of one transport without a queue, agents or clock: messages come, entries start, deliveries end. */
import { ActiveMessage, type Entry } from '../../src/qmgr/active.ts';
import { Destination } from '../../src/qmgr/destination.ts';
import type { TransportSettings } from '../../src/qmgr/settings.ts';
import { TransportQueue } from '../../src/qmgr/transport-queue.ts';
import { internalEnvelope } from '#message';
import { FewRecipients, type QueuedMessage } from '#store';

export const defaultSlots: TransportSettings = {
  initialConcurrency: 5,
  concurrencyLimit: 20,
  recipientLimit: 50,
  positiveFeedback: { value: 1, perWindow: false },
  negativeFeedback: { value: 1, perWindow: false },
  failedCohortLimit: 1,
  destinationRateDelayMs: 0,
  transportRateDelayMs: 0,
  slotCost: 5,
  slotLoan: 3,
  slotDiscount: 50,
  minimumSlots: 3,
  roomSize: 20_000,
  extraRoomSize: 1000,
  refillLimit: 100,
  refillDelayMs: 5000,
  processLimit: 0,
};

const envelope = { ...internalEnvelope('s@example.com', 0, 'mail'), messageId: '' };

export class Schedule {
  readonly queue: TransportQueue;
  readonly running: Entry[] = [];
  now = 0;
  /** By how much the clock of the system was put forward or back. */
  clockStep = 0;
  #sequence = 0;

  constructor(settings: Partial<TransportSettings> = {}) {
    this.queue = new TransportQueue({ ...defaultSlots, ...settings });
  }

  destination(name: string): Destination {
    let destination = this.queue.destinations.get(name);
    if (destination === undefined) {
      destination = new Destination(name, name, this.queue.settings);
      this.queue.destinations.set(name, destination);
    }
    return destination;
  }

  message(): ActiveMessage {
    this.#sequence += 1;
    const queued: QueuedMessage = {
      queueId: `M${this.#sequence}`,
      queue: 'active',
      envelope,
      recipients: new FewRecipients([]),
      content: { sizeBytes: 0, headerBytes: 0, chunks: () => [] },
      sizeBytes: 0,
      dueAt: 0,
      warnedAt: 0,
      forcedExpire: false,
    };
    const times = { activeAt: this.now + this.clockStep, steadyAt: this.now };
    return new ActiveMessage(queued, times, this.#sequence);
  }

  /** A message with an entry for each name of a destination. */
  add(destinations: readonly string[], message: ActiveMessage = this.message()): readonly Entry[] {
    const entries = destinations.map((name) => ({ message, destination: this.destination(name), recipients: [] }));
    this.queue.add(message, entries, this.now);
    return entries;
  }

  /** Starts one entry, if one may. */
  start(): Entry | undefined {
    const entry = this.queue.next(this.now);
    if (entry !== undefined) this.running.push(entry);
    return entry;
  }

  /** Ends the delivery that began first, or the one at the place. */
  end(at = 0): Entry | undefined {
    const [entry] = this.running.splice(at, 1);
    if (entry !== undefined) this.queue.finished(entry.destination, this.now);
    return entry;
  }

  /** The numbers of the messages in the order in which their entries start, one delivery at a time. */
  run(steps = Infinity): readonly number[] {
    const order: number[] = [];
    while (order.length < steps) {
      const entry = this.start();
      if (entry === undefined) break;
      order.push(entry.message.sequence);
      this.end();
    }
    return order;
  }
}

export function times<T>(count: number, value: T): readonly T[] {
  return Array.from({ length: count }, () => value);
}
