import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ActiveMessage } from '../../src/qmgr/active.ts';
import { Schedule } from '../support/schedule.ts';

/** Postfix's algorithm as SCHEDULER_README tells it, job by job, with lists that are looked through. */
class Model {
  readonly #terms: Terms;
  readonly #jobs: ModelJob[] = [];
  /** In the order in which they came, or came back. */
  readonly #age: ModelJob[] = [];
  readonly #known = new Map<number, ModelJob>();
  readonly busy = new Map<string, number>();

  constructor(terms: Terms) {
    this.#terms = terms;
  }

  /** A message that is new, or more of one that is known: then it stands where its message came, if it had no place. */
  add(id: number, destinations: readonly string[], unread: number, at: number): void {
    const counts = { unread, turn: 0, waiting: 0, started: 0, credit: 0, prepaid: 0 };
    const known = this.#known.get(id);
    const job: ModelJob = known ?? { id, at, order: id, peers: new Map(), ...counts, parent: undefined };
    this.#known.set(id, job);
    for (const name of destinations) {
      const peer = job.peers.get(name);
      if (peer === undefined) {
        job.peers.set(name, { waiting: 1, turn: job.turn });
        job.turn += 1;
      } else peer.waiting += 1;
    }
    job.unread = unread;
    job.waiting += destinations.length;
    if (this.#jobs.includes(job)) return;
    const later = this.#jobs.findIndex((other) => other.order > id);
    this.#jobs.splice(later < 0 ? this.#jobs.length : later, 0, job);
    this.#age.push(job);
  }

  /** Nothing of what waits for the destination is started. */
  withdraw(name: string): void {
    const jobs = [...this.#jobs];
    for (const job of jobs) {
      job.waiting -= job.peers.get(name)?.waiting ?? 0;
      job.peers.delete(name);
      if (job.waiting === 0) this.#retire(job);
    }
  }

  #retire(job: ModelJob): void {
    if (job.parent !== undefined) job.parent.credit += job.prepaid * this.#terms.slotCost;
    for (const child of this.#jobs) if (child.parent === job) child.parent = job.parent;
    this.#jobs.splice(this.#jobs.indexOf(job), 1);
    this.#age.splice(this.#age.indexOf(job), 1);
    job.parent = undefined;
    job.prepaid = 0;
    job.order = job.id;
  }

  /** What starts next: message and destination. */
  next(now: number): string | undefined {
    let current = this.#jobs.find((job) => !this.#isBlocked(job));
    if (current === undefined) return undefined;
    const ahead = this.#candidate(current, now);
    if (ahead !== undefined) {
      this.#jobs.splice(this.#jobs.indexOf(ahead), 1);
      this.#jobs.splice(this.#jobs.indexOf(current), 0, ahead);
      ahead.parent = current;
      ahead.order = current.order;
      ahead.prepaid = ahead.waiting + ahead.unread;
      current.credit -= ahead.prepaid * this.#terms.slotCost;
      current = ahead;
    }
    return this.#start(current);
  }

  #start(job: ModelJob): string | undefined {
    const open = [...job.peers].filter(([name]) => this.#hasRoom(name)).toSorted(([, a], [, b]) => a.turn - b.turn);
    const [first] = open;
    if (first === undefined) return undefined;
    const [name, peer] = first;
    peer.waiting -= 1;
    peer.turn = job.turn;
    job.turn += 1;
    if (peer.waiting === 0) job.peers.delete(name);
    job.waiting -= 1;
    job.started += 1;
    job.credit += 1;
    if (job.prepaid > 0) job.prepaid -= 1;
    this.busy.set(name, (this.busy.get(name) ?? 0) + 1);
    if (job.waiting === 0) this.#retire(job);
    return `${job.id} ${name}`;
  }

  #candidate(current: ModelJob, now: number): ModelJob | undefined {
    const { slotCost, slotLoan, slotDiscount, minimumSlots } = this.#terms;
    if (slotCost === 0 || current.credit <= 0) return undefined;
    if (current.started + current.waiting + current.unread < minimumSlots * slotCost) return undefined;
    const most = Math.floor((current.waiting + current.credit) / slotCost);
    let best: ModelJob | undefined;
    let bestScore = 0;
    for (const job of this.#age) {
      const needed = job.waiting + job.unread;
      if (job === current || job.parent !== undefined || needed > most || this.#isBlocked(job)) continue;
      const score = (Math.floor(now / 1000) - Math.floor(job.at / 1000) + 1) / (job.started + needed);
      if (score <= bestScore) continue;
      best = job;
      bestScore = score;
    }
    if (best === undefined) return undefined;
    const price = Math.floor(((best.waiting + best.unread) * (100 - slotDiscount)) / 100);
    return Math.floor(current.credit / slotCost) + slotLoan >= price ? best : undefined;
  }

  #hasRoom(name: string): boolean {
    return (this.busy.get(name) ?? 0) < this.#terms.concurrencyLimit;
  }

  #isBlocked(job: ModelJob): boolean {
    return ![...job.peers.keys()].some((name) => this.#hasRoom(name));
  }
}

interface ModelJob {
  readonly id: number;
  readonly at: number;
  order: number;
  unread: number;
  readonly peers: Map<string, { waiting: number; turn: number }>;
  turn: number;
  waiting: number;
  started: number;
  credit: number;
  prepaid: number;
  parent: ModelJob | undefined;
}

interface Terms {
  readonly slotCost: number;
  readonly slotLoan: number;
  readonly slotDiscount: number;
  readonly minimumSlots: number;
  readonly concurrencyLimit: number;
}

const terms = fc.record({
  slotCost: fc.constantFrom(0, 2, 3, 5),
  slotLoan: fc.nat(3),
  slotDiscount: fc.constantFrom(0, 50, 100),
  minimumSlots: fc.nat(3),
  concurrencyLimit: fc.integer({ min: 1, max: 4 }),
});

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'];
const sizes = fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 1, max: 4 }) }, fc.integer({ min: 5, max: 60 }));
const messages = sizes.chain((size) => fc.array(fc.constantFrom(...names), { minLength: size, maxLength: size }));

/** The clock goes on a second with each step: what a look has found serves no longer than that. */
const step = fc.oneof(
  fc.record({ kind: fc.constant('message' as const), destinations: messages, unread: fc.constantFrom(0, 0, 0, 2, 40) }),
  fc.record({ kind: fc.constant('more' as const), destinations: messages, of: fc.nat(20) }),
  fc.record({ kind: fc.constant('withdraw' as const), name: fc.constantFrom(...names) }),
  fc.record({ kind: fc.constantFrom('start' as const, 'start' as const, 'end' as const), count: fc.nat(12) }),
);

describe('the job list', () => {
  it('starts deliveries in the order that Postfix describes', () => {
    fc.assert(
      fc.property(terms, fc.array(step, { minLength: 20, maxLength: 80 }), (given, steps) => {
        const model = new Model(given);
        const schedule = new Schedule({ ...given, initialConcurrency: given.concurrencyLimit });
        const all: ActiveMessage[] = [];
        const start = (): boolean => {
          schedule.now += 1000;
          const entry = schedule.start();
          const expected = model.next(schedule.now);
          assert.equal(
            entry === undefined ? undefined : `${entry.message.sequence} ${entry.destination.key}`,
            expected,
          );
          return entry !== undefined;
        };
        const end = (at: number): void => {
          const name = schedule.end(schedule.running.length === 0 ? 0 : at % schedule.running.length)?.destination.key;
          if (name !== undefined) model.busy.set(name, (model.busy.get(name) ?? 0) - 1);
        };
        for (const one of steps) {
          if (one.kind === 'message') {
            const message = schedule.message();
            message.unreadCount = one.unread;
            all.push(message);
            schedule.add(one.destinations, message);
            model.add(message.sequence, one.destinations, one.unread, schedule.now);
          } else if (one.kind === 'more') {
            const message = all[one.of % Math.max(1, all.length)];
            const more = one.destinations.slice(0, message?.unreadCount ?? 0);
            if (message === undefined || more.length === 0) continue;
            message.unreadCount -= more.length;
            schedule.add(more, message);
            model.add(message.sequence, more, message.unreadCount, message.activeAt);
          } else if (one.kind === 'withdraw') {
            schedule.queue.withdraw(schedule.destination(one.name));
            model.withdraw(one.name);
          } else if (one.kind === 'start') for (let left = one.count; left > 0 && start(); left -= 1);
          else end(one.count);
        }
        for (let idle = false; !idle;) {
          while (start());
          idle = schedule.running.length === 0;
          end(schedule.now);
        }
      }),
      { numRuns: 400 },
    );
  });
});
