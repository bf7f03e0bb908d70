/** Which delivery starts next: transports take turns, and each has its list of jobs. qmgr(8), SCHEDULER_README */
import type { ActiveMessage, Entry } from './active.ts';
import { Destination } from './destination.ts';
import type { TransportSettings } from './settings.ts';
import { TransportQueue } from './transport-queue.ts';

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

function statusOf(queue: TransportQueue, destination: Destination, now: number, wallClock: number): DestinationStatus {
  const { nexthop, busy, window } = destination;
  const figures = { nexthop, busy, window, waiting: destination.waitingCount };
  if (destination.deadFor(now) !== undefined)
    return { ...figures, waitReason: 'dead-destination', nextMoment: destination.deadUntil - now + wallClock };
  const pausedUntil = Math.max(queue.pausedUntil, destination.pausedUntil);
  if (pausedUntil > now) return { ...figures, waitReason: 'rate-delay', nextMoment: pausedUntil - now + wallClock };
  if (figures.waiting === 0) return figures;
  return { ...figures, waitReason: destination.canStart(now) ? 'transport-limit' : 'destination-limit' };
}

export interface SchedulerParts {
  readonly settingsOf: (transport: string) => TransportSettings;
  /** A message with recipients left to read has got ahead of another one. */
  readonly onAhead: (message: ActiveMessage, transport: string) => void;
  /** Destinations of a transport beyond which the dead ones are forgotten. */
  readonly mostDead: number;
}

export class Scheduler {
  readonly #transports = new Map<string, TransportQueue>();
  readonly #parts: SchedulerParts;

  constructor(parts: SchedulerParts) {
    this.#parts = parts;
  }

  #transport(name: string): TransportQueue {
    let queue = this.#transports.get(name);
    if (queue === undefined) {
      queue = new TransportQueue(this.#parts.settingsOf(name), (message) => this.#parts.onAhead(message, name));
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
      destination = new Destination(key, nexthop, queue.settings, queue.recent.get(key));
      queue.recent.delete(key);
      queue.destinations.set(key, destination);
    }
    return destination;
  }

  /** Deliveries of one message over one transport. */
  add(transport: string, message: ActiveMessage, entries: readonly Entry[], now: number): void {
    this.#transport(transport).add(message, entries, now);
  }

  /** The last entry of a message that waits for a destination. */
  lastWaiting(transport: string, message: ActiveMessage, destination: Destination): Entry | undefined {
    return this.#transport(transport).lastWaiting(message, destination);
  }

  /** Takes back all that waits for a destination. */
  withdraw(transport: string, destination: Destination): readonly Entry[] {
    return this.#transport(transport).withdraw(destination);
  }

  /** Takes back all that waits of a message. */
  withdrawMessage(
    message: ActiveMessage,
    now: number,
  ): readonly { readonly transport: string; readonly entry: Entry }[] {
    return [...this.#transports].flatMap(([transport, queue]) =>
      queue.withdrawMessage(message, now).map((entry) => ({ transport, entry })),
    );
  }

  /** Entries that may start now; each counts as running from here on. */
  *startable(now: number): Iterable<{ readonly transport: string; readonly entry: Entry }> {
    for (let progress = true; progress;) {
      progress = false;
      for (const [transport, queue] of this.#transports) {
        const entry = queue.next(now);
        if (entry === undefined) continue;
        progress = true;
        yield { transport, entry };
      }
    }
  }

  /** A delivery is over, and the destination has learnt from it. */
  finished(transport: string, destination: Destination, now: number): void {
    const queue = this.#transport(transport);
    queue.finished(destination, now);
    this.#forgetWhenIdle(queue, destination, now);
  }

  #forgetWhenIdle(queue: TransportQueue, destination: Destination, now: number): void {
    if (!destination.isIdle || destination.pausedUntil > now) return;
    const isKept = destination.deadFor(now) !== undefined && queue.destinations.size <= this.#parts.mostDead;
    if (isKept) return;
    queue.destinations.delete(destination.key);
    if (destination.backToBack.goesOn(now)) queue.recent.set(destination.key, destination.backToBack);
  }

  /** Forgets destinations that nothing waits for, and that are neither dead nor paused any more. */
  prune(now: number): void {
    for (const queue of this.#transports.values()) {
      for (const destination of queue.destinations.values()) this.#forgetWhenIdle(queue, destination, now);
      for (const [key, backToBack] of queue.recent) if (!backToBack.goesOn(now)) queue.recent.delete(key);
    }
  }

  /** What every transport and destination does, for commands. `wallClock`: the same moment in ms since the epoch. */
  status(now: number, wallClock: number): readonly TransportStatus[] {
    return [...this.#transports].map(([transport, queue]) => ({
      transport,
      busy: queue.busy,
      destinations: [...queue.destinations.values()].map((destination) => statusOf(queue, destination, now, wallClock)),
    }));
  }

  /** The moment at which a paused destination or transport may go on; undefined when none is paused. */
  nextMoment(now: number): number | undefined {
    let next: number | undefined;
    for (const queue of this.#transports.values()) {
      const until = queue.nextMoment(now);
      if (until !== undefined && (next === undefined || until < next)) next = until;
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
