/** A message while it is active: what is still to deliver, and what became of each recipient so far. */
import type { Outcome, RequestRecipient } from '#message';
import type { QueuedMessage } from '#store';
import type { Destination } from './destination.ts';

export class ActiveMessage {
  readonly queued: QueuedMessage;
  readonly activeAt: number;
  readonly outcomes = new Map<number, Outcome>();
  /** Entries that wait or run. */
  openEntries = 0;
  readonly abort = new AbortController();

  constructor(queued: QueuedMessage, activeAt: number) {
    this.queued = queued;
    this.activeAt = activeAt;
  }

  record(outcome: Outcome): void {
    this.outcomes.set(outcome.index, outcome);
  }
}

/** One delivery to be: one message, one destination, some recipients. */
export interface Entry {
  readonly message: ActiveMessage;
  readonly destination: Destination;
  readonly recipients: readonly RequestRecipient[];
}
