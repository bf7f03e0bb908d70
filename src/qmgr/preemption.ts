/**
 * Preemption: mail with few deliveries slips past mail with many. SCHEDULER_README
 *
 * A job earns a delivery slot for every `slotCost` entries it has started. A job that can be done with the slots that
 * the current one has, or may still earn, is a candidate to get ahead of it; the best is the one with the most age for
 * each of its entries. It gets ahead once its price is there, of which discount and loan are granted on credit: the
 * current job pays all of it, and gets back what was not used. Who got ahead can be preempted in turn, out of its own
 * earnings; so no job takes longer than slotCost / (slotCost - 1) times what it would take alone.
 */
import { type Job, lastRank } from './job.ts';
import type { TransportSettings } from './settings.ts';

export type SlotSettings = Pick<TransportSettings, 'slotCost' | 'slotLoan' | 'slotDiscount' | 'minimumSlots'>;

/** Whether others may get ahead of the job at all now. */
export function isPreemptible(job: Job, { slotCost, minimumSlots }: SlotSettings): boolean {
  return slotCost > 0 && job.credit > 0 && job.maxEntries >= minimumSlots * slotCost;
}

/** Jobs of the same order, by it: who got ahead stands before whom it got ahead of. Jobs that are alone are left out. */
export type Stacks = Map<number, Job[]>;

function leaveStack(job: Job, stacks: Stacks): void {
  const stack = job.rank === lastRank ? undefined : stacks.get(job.order);
  if (stack === undefined) return;
  stack.splice(job.rank, 1);
  rankFrom(stack, job.rank);
  if (stack.length === 0) stacks.delete(job.order);
  job.rank = lastRank;
}

function rankFrom(stack: readonly Job[], first: number): void {
  for (let rank = first; rank < stack.length; rank += 1) {
    const job = stack[rank];
    if (job !== undefined) job.rank = rank;
  }
}

/** The jobs of the same order as this one, which stands among them. */
function stackOf(job: Job, stacks: Stacks): Job[] {
  const stack = stacks.get(job.order) ?? [];
  stacks.set(job.order, stack);
  if (job.rank === lastRank) {
    job.rank = stack.length;
    stack.push(job);
  }
  return stack;
}

/** Puts the candidate in front of the current job, which pays for it. Its peers are to be moved by the caller. */
export function preempt(current: Job, candidate: Job, stacks: Stacks, slotCost: number): void {
  leaveStack(candidate, stacks);
  const stack = stackOf(current, stacks);
  candidate.order = current.order;
  stack.splice(current.rank, 0, candidate);
  rankFrom(stack, current.rank);
  candidate.parent = current;
  (current.children ??= new Set()).add(candidate);
  candidate.prepaid = candidate.remaining;
  current.credit -= candidate.prepaid * slotCost;
}

/** The job has nothing to start any more: its place is free, what was paid too much goes back, and its children go up. */
export function retire(job: Job, stacks: Stacks, slotCost: number): void {
  const { parent, children } = job;
  if (parent !== undefined) {
    parent.credit += job.prepaid * slotCost;
    parent.children?.delete(job);
  }
  if (children !== undefined) {
    for (const child of children) {
      child.parent = parent;
      parent?.children?.add(child);
    }
    job.children = undefined;
  }
  job.parent = undefined;
  job.prepaid = 0;
  leaveStack(job, stacks);
  job.order = job.message.sequence;
}
