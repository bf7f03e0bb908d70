/**
 * What waits for one transport, and what starts next. SCHEDULER_README
 *
 * Each message has a job here. Jobs stand in the order in which their messages became active, but for those that got
 * ahead of another one (`preemption.ts`). The next entry comes from the foremost job that has a destination with room,
 * from its destinations in turn; that job is the current one, and only the current one can be preempted. Blocked jobs
 * are passed over at no cost: destinations know who waits for them (`peer-line.ts`), and those with room stand in a heap
 * by the place of their first waiter (`ready-destinations.ts`).
 */
import { Roster } from '#message';
import type { ActiveMessage, Entry } from './active.ts';
import type { BackToBack } from './back-to-back.ts';
import { Candidates } from './candidates.ts';
import type { Destination } from './destination.ts';
import { Job, type Peer } from './job.ts';
import { isPreemptible, preempt, retire, type Stacks } from './preemption.ts';
import { ReadyDestinations } from './ready-destinations.ts';
import type { TransportSettings } from './settings.ts';

export class TransportQueue {
  readonly settings: TransportSettings;
  readonly destinations = new Map<string, Destination>();
  /** Of destinations that were forgotten a moment ago, by their keys: mail is quick to come to an end here. */
  readonly recent = new Map<string, BackToBack>();
  /** Jobs with something to start. */
  readonly #jobs = new Roster<number, Job>();
  /** Jobs whose entries have all started while recipients of their messages are not read yet. */
  readonly #resting = new WeakMap<ActiveMessage, Job>();
  readonly #stacks: Stacks = new Map();
  readonly #ready = new ReadyDestinations();
  readonly #candidates: Candidates;
  readonly #onAhead: (message: ActiveMessage) => void;
  /** Destinations that would be ready but for their rate delay, and when the first of them goes on. */
  readonly #paused = new Set<Destination>();
  #resumeAt = Infinity;
  busy = 0;
  /** On the clock of the schedule (`steady-clock.ts`): rate delay of the transport. */
  pausedUntil = 0;

  /** `onAhead`: the message has got ahead of another one. */
  constructor(settings: TransportSettings, onAhead: (message: ActiveMessage) => void = () => undefined) {
    this.settings = settings;
    this.#onAhead = onAhead;
    this.#candidates = new Candidates(settings);
  }

  /** Deliveries of one message, which may have some here already. */
  add(message: ActiveMessage, entries: readonly Entry[], now: number): void {
    if (entries.length === 0) return;
    const known = this.#jobs.get(message.sequence);
    const job = known ?? this.#resting.get(message) ?? new Job(message);
    if (known === undefined) {
      this.#resting.delete(message);
      this.#jobs.set(message.sequence, job);
    }
    job.waiting += entries.length;
    for (const entry of entries) {
      const { destination } = entry;
      const { peer, isNew } = job.peer(destination);
      peer.add(entry);
      destination.waitingCount += 1;
      if (!isNew) continue;
      // the heap is ordered by what is about to change
      this.#ready.remove(destination);
      destination.line.insert(peer);
      this.#offer(destination, now);
    }
    if (known === undefined) this.#candidates.added(job, now);
  }

  /** The last entry of a message that waits for a destination. */
  lastWaiting(message: ActiveMessage, destination: Destination): Entry | undefined {
    return this.#jobs.get(message.sequence)?.peers.get(destination)?.last;
  }

  /** The entry that starts now, which counts as running from here on. */
  next(now: number): Entry | undefined {
    const { processLimit, slotCost } = this.settings;
    if ((processLimit > 0 && this.busy >= processLimit) || now < this.pausedUntil) return undefined;
    if (now >= this.#resumeAt) this.#resume(now);
    const peer = this.#ready.first?.line.first;
    if (peer === undefined) return undefined;
    if (this.#jobs.size === 1 || !isPreemptible(peer.job, this.settings)) return this.#start(peer, now);
    const candidate = this.#candidates.next(peer.job, this.#jobs.values(), now);
    if (candidate === undefined) return this.#start(peer, now);
    for (const [destination, moved] of candidate.peers) {
      this.#ready.remove(destination);
      destination.line.remove(moved);
    }
    preempt(peer.job, candidate, this.#stacks, slotCost);
    if (candidate.message.unreadCount > 0) this.#onAhead(candidate.message);
    for (const [destination, moved] of candidate.peers) {
      destination.line.insert(moved);
      this.#offer(destination, now);
    }
    return this.#start(this.#ready.first?.line.first ?? peer, now);
  }

  #start(peer: Peer, now: number): Entry | undefined {
    const { job, destination } = peer;
    const entry = job.start(peer);
    if (entry === undefined) return undefined;
    this.busy += 1;
    destination.busy += 1;
    destination.waitingCount -= 1;
    this.#ready.remove(destination);
    if (peer.waitingCount === 0) destination.line.remove(peer);
    this.#offer(destination, now);
    if (job.waiting === 0) this.#retire(job);
    return entry;
  }

  /** Puts a destination where it belongs: among the ready ones, among the paused ones, or nowhere. */
  #offer(destination: Destination, now: number): void {
    if (destination.waitingCount > 0 && destination.canStart(now)) {
      this.#ready.put(destination);
      return;
    }
    this.#ready.remove(destination);
    if (destination.waitingCount === 0 || destination.pausedUntil <= now) return;
    this.#paused.add(destination);
    if (destination.pausedUntil < this.#resumeAt) this.#resumeAt = destination.pausedUntil;
  }

  #resume(now: number): void {
    const paused = [...this.#paused];
    this.#paused.clear();
    this.#resumeAt = Infinity;
    for (const destination of paused) this.#offer(destination, now);
  }

  #retire(job: Job): void {
    retire(job, this.#stacks, this.settings.slotCost);
    this.#jobs.delete(job.message.sequence);
    if (this.#jobs.size === 0) this.#candidates.clear();
    if (job.message.unreadCount > 0) this.#resting.set(job.message, job);
  }

  /** A delivery is over, and the destination has learnt from it. */
  finished(destination: Destination, now: number): void {
    const { destinationRateDelayMs, transportRateDelayMs } = this.settings;
    this.busy -= 1;
    destination.busy -= 1;
    if (destinationRateDelayMs > 0) destination.pausedUntil = now + destinationRateDelayMs;
    if (transportRateDelayMs > 0) this.pausedUntil = now + transportRateDelayMs;
    this.#offer(destination, now);
  }

  /** Takes back all that waits for a destination. */
  withdraw(destination: Destination): readonly Entry[] {
    this.#ready.remove(destination);
    destination.waitingCount = 0;
    return destination.line.takeAll().flatMap((peer) => {
      const entries = peer.takeAll();
      peer.job.peers.delete(destination);
      peer.job.waiting -= entries.length;
      if (peer.job.waiting === 0) this.#retire(peer.job);
      return entries;
    });
  }

  /** Takes back all that waits of a message. */
  withdrawMessage(message: ActiveMessage, now: number): readonly Entry[] {
    const job = this.#jobs.get(message.sequence);
    if (job === undefined) return [];
    const entries: Entry[] = [];
    for (const peer of job.peers.values()) {
      const { destination } = peer;
      // the heap is ordered by what is about to change
      this.#ready.remove(destination);
      destination.line.remove(peer);
      const rest = peer.takeAll();
      destination.waitingCount -= rest.length;
      entries.push(...rest);
      this.#offer(destination, now);
    }
    job.peers.clear();
    job.waiting = 0;
    this.#retire(job);
    return entries;
  }

  /** The moment at which something paused may go on; undefined when nothing is. */
  nextMoment(now: number): number | undefined {
    if (this.#jobs.size === 0) return undefined;
    const resumeAt = this.#resumeAt > now ? this.#resumeAt : Infinity;
    const pausedUntil = this.pausedUntil > now ? this.pausedUntil : Infinity;
    const next = Math.min(resumeAt, pausedUntil);
    return next === Infinity ? undefined : next;
  }
}
