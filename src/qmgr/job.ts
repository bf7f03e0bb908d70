/** A job: what one transport has to deliver of one message. Its entries stand by destination, in peers. SCHEDULER_README */
import type { ActiveMessage, Entry } from './active.ts';
import type { Destination } from './destination.ts';

/** The entries of one job for one destination. */
export class Peer {
  readonly job: Job;
  readonly destination: Destination;
  /** Its place in the round robin over the destinations of the job. */
  turn: number;
  readonly #entries: Entry[] = [];
  #started = 0;

  constructor(job: Job, destination: Destination, turn: number) {
    this.job = job;
    this.destination = destination;
    this.turn = turn;
  }

  get waitingCount(): number {
    return this.#entries.length - this.#started;
  }

  /** The last one that waits. */
  get last(): Entry | undefined {
    return this.waitingCount > 0 ? this.#entries.at(-1) : undefined;
  }

  add(entry: Entry): void {
    this.#entries.push(entry);
  }

  take(): Entry | undefined {
    const entry = this.#entries[this.#started];
    if (entry !== undefined) this.#started += 1;
    return entry;
  }

  /** All that waits; nothing does any more. */
  takeAll(): readonly Entry[] {
    const rest = this.#entries.slice(this.#started);
    this.#started = this.#entries.length;
    return rest;
  }
}

/** Of a job that nobody got ahead of. */
export const lastRank = Number.MAX_SAFE_INTEGER;

export class Job {
  readonly message: ActiveMessage;
  /** Destinations that entries wait for. */
  readonly peers = new Map<Destination, Peer>();
  waiting = 0;
  started = 0;
  /** One for each entry started, less the cost of what was let ahead; `slotCost` of it is a delivery slot. */
  credit = 0;
  /** Its place in the job list: where its message came, or where that stands which it got ahead of. */
  order: number;
  /** Its place among the jobs of the same order, which got ahead of each other. */
  rank = lastRank;
  /** The job it got ahead of. */
  parent: Job | undefined;
  /** Jobs that got ahead of it and are not done; undefined: never one did. */
  children: Set<Job> | undefined;
  /** Entries that its parent has paid for and that have not started. */
  prepaid = 0;
  #nextTurn = 0;

  constructor(message: ActiveMessage) {
    this.message = message;
    this.order = message.sequence;
  }

  /** Entries there can be: each recipient not yet read may be one of its own. */
  get maxEntries(): number {
    return this.started + this.waiting + this.message.unreadCount;
  }

  /** Entries still to start, at most. */
  get remaining(): number {
    return this.waiting + this.message.unreadCount;
  }

  /** The peer for a destination; `isNew` when it was made just now. */
  peer(destination: Destination): { readonly peer: Peer; readonly isNew: boolean } {
    const known = this.peers.get(destination);
    if (known !== undefined) return { peer: known, isNew: false };
    const peer = new Peer(this, destination, this.#nextTurn);
    this.#nextTurn += 1;
    this.peers.set(destination, peer);
    return { peer, isNew: true };
  }

  /** The next entry of the peer, whose destination is the last in turn from now on. */
  start(peer: Peer): Entry | undefined {
    const entry = peer.take();
    if (entry === undefined) return undefined;
    this.waiting -= 1;
    this.started += 1;
    this.credit += 1;
    if (this.prepaid > 0) this.prepaid -= 1;
    peer.turn = this.#nextTurn;
    this.#nextTurn += 1;
    if (peer.waitingCount === 0) this.peers.delete(peer.destination);
    return entry;
  }

  /** None of its destinations may start a delivery now. */
  isBlocked(now: number): boolean {
    for (const destination of this.peers.keys()) if (destination.canStart(now)) return false;
    return true;
  }
}

/** Which job comes first in the job list; negative: `a`. */
export function byPlace(a: Job, b: Job): number {
  return a.order - b.order || a.rank - b.rank;
}
