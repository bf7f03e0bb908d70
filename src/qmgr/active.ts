/** A message while it is active: what is still to deliver, and what became of each recipient so far. */
import type { Outcome, RequestRecipient } from '#message';
import type { QueuedMessage } from '#store';
import type { Destination } from './destination.ts';

export class ActiveMessage {
  readonly queued: QueuedMessage;
  readonly activeAt: number;
  /** Grows with each message that becomes active: jobs stand in this order. */
  readonly sequence: number;
  readonly outcomes = new Map<number, Outcome>();
  /** Recipients this attempt is about. */
  readonly pendingCount: number;
  /** Deliveries that are known but not yet handed to the store. */
  unwritten: Outcome[] = [];
  isWriting = false;
  /** Recipients of this attempt that are not in the schedule yet. */
  unreadCount = 0;
  /** Entries that wait or run. */
  openEntries = 0;
  readonly abort = new AbortController();

  constructor(queued: QueuedMessage, activeAt: number, sequence: number) {
    this.queued = queued;
    this.activeAt = activeAt;
    this.sequence = sequence;
    this.pendingCount = queued.recipients.filter((recipient) => recipient.state === 'pending').length;
  }

  /** Address probe or `sendmail -bv`: nothing is delivered, nothing is tried again. */
  get isProbe(): boolean {
    return this.queued.envelope.origin === 'verify' || this.queued.envelope.trace === 'verify';
  }

  /** Sent by the address verification, which hears of its outcome. */
  get isAddressProbe(): boolean {
    return this.queued.envelope.origin === 'verify';
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
