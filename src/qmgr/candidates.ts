/**
 * Which job gets ahead of the current one: of those that need no more slots than the current one has or may still earn,
 * the one with the most age for each of its entries. SCHEDULER_README
 *
 * With thousands of jobs, looking through all of them for each delivery would cost more than the delivery. So a look
 * keeps a number of the best, which serve until the second is over or enough deliveries have started to pay for another.
 */
import type { Job } from './job.ts';
import type { SlotSettings } from './preemption.ts';

/** Candidates that a look keeps. */
const mostKept = 64;
/** Jobs that may be looked through for each entry that starts. */
const looksPerStart = 64;

interface Candidate {
  readonly job: Job;
  readonly score: number;
}

/** Entries that a job may have to get ahead of the current one, now or later. */
function mostEntriesAhead(current: Job, slotCost: number): number {
  return Math.floor((current.waiting + current.credit) / slotCost);
}

export class Candidates {
  readonly #settings: SlotSettings;
  /** The best first. */
  #kept: Candidate[] = [];
  #lookedAtSecond = -1;
  #startsToNextLook = 0;

  constructor(settings: SlotSettings) {
    this.#settings = settings;
  }

  /** A job that has just come. The next look finds it, unless one has just been. */
  added(job: Job, now: number): void {
    if (Math.floor(now / 1000) === this.#lookedAtSecond) this.#keep(job);
  }

  /** There are no jobs any more. */
  clear(): void {
    if (this.#kept.length > 0) this.#kept = [];
  }

  /** The job that gets ahead of the current one now; undefined: none. */
  next(current: Job, jobs: Iterable<Job>, now: number): Job | undefined {
    const { slotCost, slotLoan, slotDiscount } = this.#settings;
    const best = this.#bestFor(current, jobs, now);
    if (best === undefined) return undefined;
    const price = Math.floor((best.remaining * (100 - slotDiscount)) / 100);
    return Math.floor(current.credit / slotCost) + slotLoan >= price ? best : undefined;
  }

  #bestFor(current: Job, jobs: Iterable<Job>, now: number): Job | undefined {
    const most = mostEntriesAhead(current, this.#settings.slotCost);
    const find = (): Job | undefined =>
      this.#kept.find(({ job }) => job !== current && isFree(job) && job.remaining <= most && !job.isBlocked(now))?.job;
    this.#startsToNextLook -= 1;
    if (Math.floor(now / 1000) === this.#lookedAtSecond) {
      const known = find();
      if (known !== undefined || this.#startsToNextLook > 0) return known;
    }
    this.#look(current, jobs, most, now);
    return find();
  }

  #look(current: Job, jobs: Iterable<Job>, most: number, now: number): void {
    this.#kept = [];
    this.#lookedAtSecond = Math.floor(now / 1000);
    let looked = 0;
    for (const job of jobs) {
      looked += 1;
      if (job !== current && job.remaining <= most && isFree(job) && !job.isBlocked(now)) this.#keep(job);
    }
    this.#startsToNextLook = looked / looksPerStart;
  }

  /** Keeps the job if it is among the best; of equals, the one that came first is the better one. */
  #keep(job: Job): void {
    const ageSeconds = this.#lookedAtSecond - Math.floor(job.message.steadyAt / 1000);
    const score = (ageSeconds + 1) / job.maxEntries;
    const last = this.#kept.at(-1);
    if (this.#kept.length >= mostKept && last !== undefined && last.score >= score) return;
    const at = this.#kept.findLastIndex((other) => other.score >= score) + 1;
    this.#kept.splice(at, 0, { job, score });
    if (this.#kept.length > mostKept) this.#kept.pop();
  }
}

/** It has something to start, and has not got ahead of another one already. */
function isFree(job: Job): boolean {
  return job.waiting > 0 && job.parent === undefined;
}
