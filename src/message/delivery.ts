/**
 * What the queue manager asks of a delivery agent, and what it gets back.
 *
 * Neither side knows the other: the queue manager is given a map from transport name to agent, `roles` joins them.
 */
import type { Envelope, Recipient } from './envelope.ts';
import type { MaybePromise } from './result.ts';
import type { OutcomeKind, Status } from './status.ts';

/** A recipient of a request, with its place in the queued message. */
export interface RequestRecipient extends Recipient {
  /** Index of the recipient in the stored message; what `Outcome.index` refers to. */
  readonly index: number;
}

/** Content of a queued message: header section and body with CRLF line ends, not dot-stuffed. */
export interface MessageContent {
  /** Size in bytes as stored (with CRLF). */
  readonly sizeBytes: number;
  /** Bytes up to and without the empty line that ends the header section. */
  readonly headerBytes: number;
  /** The whole content in order. A small message comes as one chunk that is in memory already. */
  chunks(): Iterable<Buffer> | AsyncIterable<Buffer>;
}

/** One delivery: one message, one transport and nexthop, one or more recipients. */
export interface DeliveryRequest {
  readonly queueId: string;
  readonly envelope: Envelope;
  readonly content: MessageContent;
  /** `size=` as logged: the content's records, as Postfix counts: two bytes a line end, one more for lines of 128 bytes. */
  readonly sizeBytes: number;
  readonly transport: string;
  readonly nexthop: string;
  /** `transport:nexthop` of each agent that has passed it on to the next one. mailbox_transport, best_mx_transport */
  readonly passedBy?: readonly string[];
  readonly recipients: readonly RequestRecipient[];
  /** ms since the epoch, for `delays=a/b/c/d`. */
  readonly activeAt: number;
  readonly startedAt: number;
  /** The destination has a backlog: keep connections open (smtp_connection_cache_on_demand). */
  readonly reuseConnection: boolean;
  /** Address probe or `sendmail -bv`: say what would happen, deliver nothing. */
  readonly probe: boolean;
  /** A probe whose failure the cache does not keep. address_verify_negative_cache */
  readonly forgetsFailure?: boolean;
  /** Aborted when the system stops or the message is deleted; agents finish what they can't undo. */
  readonly signal: AbortSignal;
}

/** What became of an address that a recipient was expanded to. */
export interface MemberOutcome extends Omit<Outcome, 'index' | 'members'> {
  readonly address: string;
  /** Who hears of a failure: the owner of the list. */
  readonly sender: string;
  /** What it was called before, where that is not what the recipient was called. */
  readonly original?: string;
  /** Who hears of a failure has been told. */
  readonly isTold?: boolean;
}

/** What became of one recipient. */
export interface Outcome {
  readonly index: number;
  readonly kind: OutcomeKind;
  readonly status: Status;
  /** RFC 3464 action for a success: `relayed` to another MTA, `delivered` here, `expanded` by an alias. */
  readonly action?: 'delivered' | 'relayed' | 'expanded';
  /** As logged: who took or refused it; undefined when nobody was asked. */
  readonly relay?: string;
  /** Of an expansion: what reports speak of instead of the recipient itself. */
  readonly members?: readonly MemberOutcome[];
  /** A success of which the sender hears with the next attempt: the report could not be sent. */
  readonly isUnreported?: boolean;
}

/** How the destination as a whole did, for concurrency feedback (qmgr, "destination concurrency"). */
export interface DeliveryResult {
  /** Set when the site, not a recipient or the message, failed: the reason with which its other mail is deferred. */
  readonly siteFailure?: Status;
}

/**
 * A delivery agent. Emits its own `delivery` events (the log line of each recipient), and calls `report` once for each
 * recipient of the request as soon as its outcome is known. Never throws for mail outcomes; a throw is a bug or a
 * broken machine and defers the recipients without a report.
 */
export interface DeliveryAgent {
  deliver(request: DeliveryRequest, report: (outcome: Outcome) => void): Promise<DeliveryResult>;
  /** Ends idle connections and processes. */
  close?(): MaybePromise<void>;
}
