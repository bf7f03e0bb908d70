/**
 * The queue as everybody else sees it: messages with a state, claimed under leases. No caller sees SQL, paths or rowids.
 *
 * State table (ARCHITECTURE.md, "The queue"):
 *   (writing) --commit--> incoming | active(leased) | hold
 *   incoming, deferred(due) --claim--> active(leased)
 *   active --settle--> gone | deferred | hold | corrupt
 *   incoming, deferred, hold, active --requeue--> maildrop --claim--> active(leased) --put back--> maildrop
 *   active without a living lease --start, or lease released--> incoming
 * Content of a transaction that never commits is swept at the next start.
 */
import type { Envelope, MaybePromise, MessageContent, Outcome, QueueName, Recipient } from '#message';
import type { RecipientList } from './recipient-list.ts';

export interface QueuedMessage {
  readonly queueId: string;
  readonly queue: QueueName;
  readonly envelope: Envelope;
  readonly recipients: RecipientList;
  readonly content: MessageContent;
  /** Bytes as Postfix counts (`size=`): its records, two bytes a line end. */
  readonly sizeBytes: number;
  /** ms since the epoch. */
  readonly dueAt: number;
  /** When a delay warning was sent; 0: not yet. */
  readonly warnedAt: number;
  readonly forcedExpire: boolean;
}

/** A message while its content arrives. */
export interface MessageWriter {
  readonly queueId: string;
  /** CRLF line ends. Backpressure by promise. Small messages stay in memory until commit. */
  write(chunk: Buffer): void | Promise<void>;
  /** Recipients before those that `commit` brings, so that a message of many need not have them in memory all at once. */
  addRecipients(recipients: readonly Recipient[]): MaybePromise<void>;
  /** It goes to none of those that were added so far. */
  forgetRecipients(): void;
  /** Resolves after the commit that holds the message has reached the disk; rejects with StoreFullError or StoreError. */
  commit(message: NewMessage): Promise<void>;
  abort(): void;
}

export interface NewMessage {
  readonly envelope: Envelope;
  /** Those that were not added before. */
  readonly recipients: readonly Recipient[];
  readonly queue: 'incoming' | 'hold';
  readonly headerBytes: number;
  readonly sizeBytes: number;
}

/** What settle writes down in one transaction. */
export interface Settlement {
  readonly queueId: string;
  /** Outcomes that became known since the last call; recipients with sent/bounced become done. */
  readonly outcomes: readonly Outcome[];
  /** Indexes of recipients that are done, and of which nobody will ask any more. */
  readonly done?: readonly number[];
  /** Where the message goes now; undefined: stays active. `gone` removes it. */
  readonly next?: { readonly kind: 'gone' } | { readonly kind: 'deferred'; readonly dueAt: number };
  readonly warnedAt?: number;
  /** Domains, in lower case, of recipients that wait: `makeDue` finds the message by them. Undefined: as before. */
  readonly sites?: readonly string[];
}

/** `queue` is where commands find it: a message that goes on hold once its delivery has ended counts as on hold already. */
export interface ListedMessage extends Omit<QueuedMessage, 'content'> {}

/** Lookup for commands: which messages. */
export interface MessageSelector {
  readonly queueIds?: readonly string[];
  readonly queues?: readonly QueueName[];
}

export interface QueueStore {
  /** A fresh queue ID (short or long form, enable_long_queue_ids) and a place for content. */
  begin(arrivedAt: number): MessageWriter;
  /**
   * Called for each committed `incoming` message; returning true means: handed over as active under this process's
   * lease without a further write (the content may still be in memory). False: it stays `incoming` until claimed.
   */
  onQueued(listener: (message: QueuedMessage) => boolean): void;
  /** Takes up to `limit` messages of `incoming` or `maildrop`, or `deferred` with dueAt <= `now`, under this process's lease. */
  claim(from: 'incoming' | 'deferred' | 'maildrop', now: number, limit: number): Promise<readonly QueuedMessage[]>;
  /** Claims given messages whatever their due time (flush by ID). */
  claimById(queueIds: readonly string[]): Promise<readonly QueuedMessage[]>;
  /** Makes deferred messages due now; all, or those that were settled with this site. Gives how many. */
  makeDue(now: number, filter?: { readonly site: string }): Promise<number>;
  settle(settlement: Settlement): Promise<void>;
  /** What was claimed from `maildrop` goes back there. Never rejects: what can't be written now is when something is claimed again. */
  putBack(queueId: string): Promise<void>;
  list(selector?: MessageSelector): AsyncIterable<ListedMessage>;
  find(queueId: string): Promise<QueuedMessage | undefined>;
  /**
   * postsuper: each gives the queue IDs that were changed. What is being delivered goes on hold or to `maildrop` when
   * that has ended, and counts as being there from now on; the other changes are made at once.
   */
  remove(selector: MessageSelector): Promise<readonly string[]>;
  hold(selector: MessageSelector): Promise<readonly string[]>;
  release(selector: MessageSelector): Promise<readonly string[]>;
  /** To `maildrop`, from where they pass cleanup again. */
  requeue(selector: MessageSelector): Promise<readonly string[]>;
  expire(selector: MessageSelector): Promise<readonly string[]>;
  /** Gives messages of dead lease holders back to `incoming`. */
  releaseLeases(holders: 'dead' | 'mine'): Promise<number>;
  /** Bytes free on the queue's file system, for queue_minfree. */
  freeBytes(): Promise<number>;
  close(): Promise<void>;
}

/** The disk is full (452 4.3.1): nothing was kept. */
export class StoreFullError extends Error {}
/** Any other failure to keep a message (451 4.3.0). */
export class StoreError extends Error {}
