/**
 * What waits for one transport, and what starts next. Small deliveries go in turn over their destinations. A message
 * with many deliveries is a bulk job: jobs go one after the other, each in turn over its destinations, and others may
 * get ahead of a job now and then, so that a large list does not delay everybody's mail. SCHEDULER_README
 *
 * A job earns a slot for every `slotCost` deliveries it has started. A small delivery that came later than the job uses
 * one up; it may start when the slots, with the loan, cover its discounted price.
 */
import type { ActiveMessage, Entry } from './active.ts';
import type { Destination } from './destination.ts';
import type { TransportSettings } from './settings.ts';

interface BulkJob {
  readonly message: ActiveMessage;
  /** Destinations that wait for this job, in turn, and how many deliveries each still waits for. */
  turn: { readonly destination: Destination; left: number }[];
  left: number;
  slots: number;
}

export class TransportQueue {
  readonly settings: TransportSettings;
  readonly destinations = new Map<string, Destination>();
  /** Destinations with something small to start, in turn. */
  #turn: Destination[] = [];
  #jobs: BulkJob[] = [];
  busy = 0;
  /** ms since the epoch: rate delay of the transport. */
  pausedUntil = 0;

  constructor(settings: TransportSettings) {
    this.settings = settings;
  }

  /** Deliveries of one message. */
  add(message: ActiveMessage, entries: readonly Entry[]): void {
    const { slotCost, minimumSlots } = this.settings;
    if (slotCost > 0 && entries.length >= slotCost * minimumSlots && entries.length > 1) {
      for (const entry of entries) entry.destination.bulk.push(entry);
      const turn = [...Map.groupBy(entries, (entry) => entry.destination)].map(([destination, { length: left }]) => ({
        destination,
        left,
      }));
      this.#jobs.push({ message, turn, left: entries.length, slots: 0 });
      return;
    }
    for (const entry of entries) {
      const { destination } = entry;
      destination.waiting.push(entry);
      if (destination.isInTurn) continue;
      destination.isInTurn = true;
      this.#turn.push(destination);
    }
  }

  next(now: number): Entry | undefined {
    const { processLimit } = this.settings;
    if ((processLimit > 0 && this.busy >= processLimit) || now < this.pausedUntil) return undefined;
    const [job] = this.#jobs;
    if (job === undefined) return this.#nextSmall(now);
    return this.#nextAhead(job, now) ?? this.#nextBulk(now) ?? this.#nextSmall(now);
  }

  /** A small delivery that is older than the first job, or may get ahead of it. */
  #nextAhead(job: BulkJob, now: number): Entry | undefined {
    const { slotCost, slotLoan, slotDiscount, minimumSlots } = this.settings;
    const isOlder = (entry: Entry): boolean => entry.message.activeAt < job.message.activeAt;
    const older = this.#nextSmall(now, isOlder);
    if (older !== undefined) return older;
    const covered = job.slots / slotCost + slotLoan >= (100 - slotDiscount) / 100;
    // what is nearly done is not held up
    if (job.slots <= 0 || !covered || job.left < slotCost * minimumSlots) return undefined;
    const ahead = this.#nextSmall(now);
    if (ahead !== undefined) job.slots -= slotCost;
    return ahead;
  }

  #nextSmall(now: number, isWanted?: (entry: Entry) => boolean): Entry | undefined {
    for (let left = this.#turn.length; left > 0; left -= 1) {
      const destination = this.#turn.shift();
      if (destination === undefined) return undefined;
      const [first] = destination.waiting;
      const mayStart = first !== undefined && destination.canStart(now) && (isWanted === undefined || isWanted(first));
      if (mayStart) destination.waiting.shift();
      destination.isInTurn = destination.waiting.length > 0;
      if (destination.isInTurn) this.#turn.push(destination);
      if (mayStart) return first;
    }
    return undefined;
  }

  #nextBulk(now: number): Entry | undefined {
    for (const job of this.#jobs) {
      for (let left = job.turn.length; left > 0; left -= 1) {
        const place = job.turn.shift();
        if (place === undefined) break;
        const { destination } = place;
        const [first] = destination.bulk;
        const mayStart = first?.message === job.message && destination.canStart(now);
        if (mayStart) {
          destination.bulk.shift();
          place.left -= 1;
        }
        if (place.left > 0) job.turn.push(place);
        if (!mayStart) continue;
        job.left -= 1;
        job.slots += 1;
        if (job.left <= 0) this.#jobs = this.#jobs.filter((other) => other !== job);
        return first;
      }
    }
    return undefined;
  }

  /** Takes back all that waits for a destination. */
  withdraw(destination: Destination): readonly Entry[] {
    const bulk = destination.bulk.splice(0);
    for (const job of this.#jobs) {
      job.left -= bulk.filter((entry) => entry.message === job.message).length;
      job.turn = job.turn.filter((place) => place.destination !== destination);
    }
    if (bulk.length > 0) this.#jobs = this.#jobs.filter((job) => job.left > 0);
    return [...destination.waiting.splice(0), ...bulk];
  }

  /** The moment at which something paused may go on; undefined when nothing is. */
  nextMoment(now: number): number | undefined {
    if (this.#turn.length === 0 && this.#jobs.length === 0) return undefined;
    const paused = [this.pausedUntil];
    for (const destination of this.#turn) paused.push(destination.pausedUntil);
    for (const job of this.#jobs) for (const { destination } of job.turn) paused.push(destination.pausedUntil);
    let next: number | undefined;
    for (const until of paused) if (until > now && (next === undefined || until < next)) next = until;
    return next;
  }
}
