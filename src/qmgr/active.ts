/** A message while it is active: what is still to deliver, and what became of each recipient so far. */
import type { Outcome, RequestRecipient } from '#message';
import type { QueuedMessage, StoredRecipient } from '#store';
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
  /** Recipients of this attempt that are still to be routed. */
  unreadCount: number;
  /** Recipients that are being routed, or are in the schedule. */
  readCount = 0;
  /** Those of them that are in the schedule. */
  placedCount = 0;
  /** A batch of recipients is being routed. */
  isRouting = false;
  /** Where the next batch begins, among all recipients. */
  #nextIndex = 0;
  /** Entries that wait or run. */
  openEntries = 0;
  readonly abort = new AbortController();

  constructor(queued: QueuedMessage, activeAt: number, sequence: number) {
    this.queued = queued;
    this.activeAt = activeAt;
    this.sequence = sequence;
    let pending = 0;
    for (const { state } of queued.recipients) if (state === 'pending') pending += 1;
    this.pendingCount = pending;
    this.unreadCount = pending;
  }

  /** Nothing is left to route, to start or to end. */
  get isDone(): boolean {
    return this.openEntries === 0 && this.unreadCount === 0 && !this.isRouting;
  }

  /** The next recipients to deliver to, in the order of the message. */
  nextRecipients(count: number): readonly StoredRecipient[] {
    const { recipients } = this.queued;
    const batch: StoredRecipient[] = [];
    for (; batch.length < count && this.#nextIndex < recipients.length; this.#nextIndex += 1) {
      const recipient = recipients[this.#nextIndex];
      if (recipient?.state === 'pending') batch.push(recipient);
    }
    return batch;
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
  /** More may come while it waits. */
  readonly recipients: RequestRecipient[];
}
