/** Which delivery starts next: round robin over transports, and within one over its destinations. qmgr(8) */
import type { Entry } from './active.ts';
import { Destination } from './destination.ts';
import type { TransportSettings } from './settings.ts';

class TransportQueue {
  readonly settings: TransportSettings;
  readonly destinations = new Map<string, Destination>();
  /** Destinations with something to start, in turn. */
  turn: Destination[] = [];
  busy = 0;
  /** ms since the epoch: rate delay of the transport. */
  pausedUntil = 0;

  constructor(settings: TransportSettings) {
    this.settings = settings;
  }

  next(now: number): Entry | undefined {
    const { processLimit } = this.settings;
    if ((processLimit > 0 && this.busy >= processLimit) || now < this.pausedUntil) return undefined;
    for (let left = this.turn.length; left > 0; left -= 1) {
      const destination = this.turn.shift();
      if (destination === undefined) return undefined;
      const entry = destination.canStart(now) ? destination.waiting.shift() : undefined;
      destination.isInTurn = destination.waiting.length > 0;
      if (destination.isInTurn) this.turn.push(destination);
      if (entry !== undefined) return entry;
    }
    return undefined;
  }
}

/** Why mail of a destination does not start right now. */
export type WaitReason = 'dead-destination' | 'rate-delay' | 'destination-limit' | 'transport-limit';

export interface DestinationStatus {
  readonly nexthop: string;
  readonly waiting: number;
  readonly busy: number;
  readonly window: number;
  readonly waitReason?: WaitReason;
  /** ms since the epoch when it goes on; absent: when a delivery ends. */
  readonly nextMoment?: number;
}

export interface TransportStatus {
  readonly transport: string;
  readonly busy: number;
  readonly destinations: readonly DestinationStatus[];
}

function statusOf(queue: TransportQueue, destination: Destination, now: number): DestinationStatus {
  const { nexthop, busy, window } = destination;
  const figures = { nexthop, busy, window, waiting: destination.waiting.length };
  if (destination.deadFor(now) !== undefined)
    return { ...figures, waitReason: 'dead-destination', nextMoment: destination.deadUntil };
  const pausedUntil = Math.max(queue.pausedUntil, destination.pausedUntil);
  if (pausedUntil > now) return { ...figures, waitReason: 'rate-delay', nextMoment: pausedUntil };
  if (figures.waiting === 0) return figures;
  return { ...figures, waitReason: destination.canStart(now) ? 'transport-limit' : 'destination-limit' };
}

export class Scheduler {
  readonly #transports = new Map<string, TransportQueue>();
  readonly #settingsOf: (transport: string) => TransportSettings;

  constructor(settingsOf: (transport: string) => TransportSettings) {
    this.#settingsOf = settingsOf;
  }

  #transport(name: string): TransportQueue {
    let queue = this.#transports.get(name);
    if (queue === undefined) {
      queue = new TransportQueue(this.#settingsOf(name));
      this.#transports.set(name, queue);
    }
    return queue;
  }

  settingsOf(transport: string): TransportSettings {
    return this.#transport(transport).settings;
  }

  /** The destination with this key, made when it is new. */
  destination(transport: string, key: string, nexthop: string): Destination {
    const queue = this.#transport(transport);
    let destination = queue.destinations.get(key);
    if (destination === undefined) {
      destination = new Destination(key, nexthop, queue.settings);
      queue.destinations.set(key, destination);
    }
    return destination;
  }

  add(transport: string, entry: Entry): void {
    const { destination } = entry;
    destination.waiting.push(entry);
    if (destination.isInTurn) return;
    destination.isInTurn = true;
    this.#transport(transport).turn.push(destination);
  }

  /** Entries that may start now; each counts as running from here on. */
  *startable(now: number): Iterable<{ readonly transport: string; readonly entry: Entry }> {
    for (let progress = true; progress;) {
      progress = false;
      for (const [transport, queue] of this.#transports) {
        const entry = queue.next(now);
        if (entry === undefined) continue;
        progress = true;
        queue.busy += 1;
        entry.destination.busy += 1;
        yield { transport, entry };
      }
    }
  }

  finished(transport: string, destination: Destination, now: number): void {
    const queue = this.#transport(transport);
    queue.busy -= 1;
    destination.busy -= 1;
    const { destinationRateDelayMs, transportRateDelayMs } = queue.settings;
    if (destinationRateDelayMs > 0) destination.pausedUntil = now + destinationRateDelayMs;
    if (transportRateDelayMs > 0) queue.pausedUntil = now + transportRateDelayMs;
    this.#forgetWhenIdle(queue, destination, now);
  }

  #forgetWhenIdle(queue: TransportQueue, destination: Destination, now: number): void {
    if (!destination.isIdle || destination.deadFor(now) !== undefined || destination.pausedUntil > now) return;
    queue.destinations.delete(destination.key);
  }

  /** Forgets destinations that nothing waits for, and that are neither dead nor paused any more. */
  prune(now: number): void {
    for (const queue of this.#transports.values())
      for (const destination of queue.destinations.values()) this.#forgetWhenIdle(queue, destination, now);
  }

  /** What every transport and destination does, for commands. */
  status(now: number): readonly TransportStatus[] {
    return [...this.#transports].map(([transport, queue]) => ({
      transport,
      busy: queue.busy,
      destinations: [...queue.destinations.values()].map((destination) => statusOf(queue, destination, now)),
    }));
  }

  /** The moment at which a paused destination or transport may go on; undefined when none is paused. */
  nextMoment(now: number): number | undefined {
    let next: number | undefined;
    for (const queue of this.#transports.values()) {
      if (queue.turn.length === 0) continue;
      for (const until of [queue.pausedUntil, ...queue.turn.map((destination) => destination.pausedUntil)]) {
        if (until > now && (next === undefined || until < next)) next = until;
      }
    }
    return next;
  }

  /** Forgets all dead destinations (postqueue -f). */
  reviveAll(): void {
    for (const queue of this.#transports.values()) {
      for (const destination of queue.destinations.values())
        if (destination.deadReason !== undefined) destination.revive();
    }
  }
}
