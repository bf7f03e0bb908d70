/** A message while it is active: what is still to deliver, and what became of its recipients so far. */
import type { RequestRecipient, Status } from '#message';
import type { QueuedMessage, RecipientPart, StoredRecipient } from '#store';
import { type Attempt, beginAttempt } from './attempt.ts';
import type { Destination } from './destination.ts';

/** Why nothing more of a message is started. postsuper(1) */
export type WithdrawalReason = 'deleted' | 'wanted';

export class ActiveMessage {
  readonly queued: QueuedMessage;
  /** ms since the epoch. */
  readonly activeAt: number;
  /** The same moment on the clock of the schedule. */
  readonly steadyAt: number;
  /** Grows with each message that becomes active: jobs stand in this order. */
  readonly sequence: number;
  readonly attempt: Attempt;
  /** Recipients this attempt is about. */
  readonly pendingCount: number;
  /** Recipients of this attempt that are still to be routed. */
  unreadCount: number;
  /** Recipients that are being routed, or are in the schedule. */
  readCount = 0;
  /** Those of them that are in the schedule. */
  placedCount = 0;
  /** A batch of recipients is being routed. */
  isRouting = false;
  /** A bug or damage was met, or it was withdrawn, and some of its recipients were not even tried. */
  isGivenUp = false;
  /** It was deleted, or is wanted elsewhere: nothing more of it is started. */
  withdrawn: 'no' | WithdrawalReason = 'no';
  /** Its end is being written down. */
  isSettling = false;
  /** Parts that are not read yet, the one that is read, and where in it the next batch begins. */
  #parts: Iterator<RecipientPart> | undefined;
  #part: RecipientPart = [];
  #place = 0;
  /** Entries that wait or run. */
  openEntries = 0;
  readonly abort = new AbortController();
  /** It came in by a flush: defer_transports does not count this time. */
  readonly isFlushed: boolean;

  constructor(
    queued: QueuedMessage,
    { activeAt, steadyAt }: Pick<ActiveMessage, 'activeAt' | 'steadyAt'>,
    sequence: number,
    isFlushed = false,
  ) {
    this.queued = queued;
    this.activeAt = activeAt;
    this.steadyAt = steadyAt;
    this.sequence = sequence;
    this.isFlushed = isFlushed;
    this.pendingCount = queued.recipients.pendingCount;
    this.unreadCount = this.pendingCount;
    this.attempt = beginAttempt(queued, this.pendingCount);
  }

  /** Nothing is left to route, to start or to end. */
  get isDone(): boolean {
    return this.openEntries === 0 && this.unreadCount === 0 && !this.isRouting;
  }

  /** The next recipients to deliver to, in the order of the message; fewer when that is all. Throws StoreError. */
  nextRecipients(count: number): readonly StoredRecipient[] {
    this.#parts ??= this.queued.recipients.withPending()[Symbol.iterator]();
    const batch: StoredRecipient[] = [];
    while (batch.length < count) {
      const recipient = this.#part[this.#place];
      this.#place += 1;
      if (recipient?.state === 'pending') batch.push(recipient);
      if (recipient !== undefined) continue;
      const { done, value } = this.#parts.next();
      if (done === true) break;
      this.#part = value;
      this.#place = 0;
    }
    return batch;
  }

  /** These recipients wait for the next attempt, and so do those that are not read yet. */
  giveUp(recipients: readonly RequestRecipient[], isDamaged: boolean): void {
    const status: Status = { code: '4.3.0', reason: 'address resolver failure' };
    for (const { index } of recipients)
      if (!this.attempt.has(index)) this.attempt.record({ index, kind: 'deferred', status }, recipients);
    this.isGivenUp = isDamaged || this.unreadCount > 0;
    this.isRouting = false;
  }

  /** Address probe or `sendmail -bv`: nothing is delivered, nothing is tried again. */
  get isProbe(): boolean {
    return this.queued.envelope.origin === 'verify' || this.queued.envelope.trace === 'verify';
  }

  /** Sent by the address verification, which hears of its outcome. */
  get isAddressProbe(): boolean {
    return this.queued.envelope.origin === 'verify';
  }
}

/** One delivery to be: one message, one destination, some recipients. */
export interface Entry {
  readonly message: ActiveMessage;
  readonly destination: Destination;
  /** More may come while it waits. */
  readonly recipients: RequestRecipient[];
}
