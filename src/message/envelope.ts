/**
 * The envelope of a queued message: what the store keeps beside the content, as plain data.
 *
 * Addresses are in internal form: unquoted local-part, no angle brackets; '' is the null reverse-path.
 */

/** RFC 3461 NOTIFY; an empty list stands for "not given" (failures, and delays, are reported). */
export type Notify = 'never' | 'success' | 'failure' | 'delay';

/** One recipient, after rewriting and alias expansion. */
export interface Recipient {
  /** Final address, internal form. */
  readonly address: string;
  /** The address as it came in (X-Original-To, `orig_to=`); '' when not known. */
  readonly original: string;
  /** RFC 3461 ORCPT as `type;xtext-decoded address`; '' when none. */
  readonly dsnOriginal: string;
  readonly notify: readonly Notify[];
}

/** Who handed the message in. `unknown` words as Postfix logs them. */
export interface ClientAttributes {
  /** Verified host name or `unknown`; `localhost` for local submission. */
  readonly name: string;
  readonly reverseName: string;
  /** IPv4 or IPv6 address without brackets or prefix; '' for local submission. */
  readonly address: string;
  readonly port: string;
  readonly heloName: string;
  /** SMTP, ESMTP, QMQP; '' for local submission. */
  readonly protocol: string;
  readonly serverAddress: string;
  readonly serverPort: string;
}

/** SASL login that came with the session. */
export interface SaslAttributes {
  readonly method: string;
  readonly username: string;
  readonly sender: string;
}

/** Everything about a queued message but its recipients and content. */
export interface Envelope {
  readonly sender: string;
  /** ms since the epoch: when the message began to arrive. */
  readonly arrivedAt: number;
  /** RFC 3461 ENVID (xtext decoded) or ''. */
  readonly envid: string;
  /** RFC 3461 RET. */
  readonly ret: '' | 'full' | 'hdrs';
  /** Whether the message needs SMTPUTF8 (RFC 6531), and BODY= as declared or found. */
  readonly smtputf8: boolean;
  readonly encoding: '' | '7bit' | '8bit';
  /** Whether header addresses were rewritten as local or remote mail (postconf(5) local_header_rewrite_clients). */
  readonly rewriteContext: 'local' | 'remote';
  readonly client: ClientAttributes;
  /** What the log shows as the origin; differs from `client` after XFORWARD. */
  readonly logClient: ClientAttributes;
  /** Queue ID that XFORWARD told of: the log and the next server are to know the message by it. */
  readonly forwardedQueueId?: string;
  readonly sasl?: SaslAttributes;
  /** Full name of a local sender, for a From: that has to be made. */
  readonly fullName: string;
  /** uid of the local submitter. */
  readonly uid?: number;
  /** FILTER or content_filter as `transport:nexthop`; '' when none. */
  readonly contentFilter: string;
  /**
   * `forward`: mail sent on by aliases and .forward files, `bounce`: non-delivery report, `verify`: address probe
   * (never delivered), `notice`: postmaster notice.
   */
  readonly origin: 'mail' | 'forward' | 'bounce' | 'notice' | 'verify';
  /** VERP delimiters (two characters) or ''. */
  readonly verp: string;
  /** Trace flags: `sendmail -v` wants a report of the delivery, `-bv` of a trial without delivery. */
  readonly trace: '' | 'record' | 'verify';
  /** Queue ID this message had before `postsuper -r`; '' when none. */
  readonly originalQueueId: string;
  /** Value of the Message-Id header as found or made, with angle brackets; '' when none. */
  readonly messageId: string;
  /** RFC 8689 REQUIRETLS was asked for. */
  readonly requireTls: boolean;
  /** The header section says `TLS-Required: no`. RFC 8689, 5 */
  readonly tlsNotRequired?: boolean;
  /** Aliases whose sender wants to hear of success: that they were expanded is all it hears. RFC 3461, 5.2.7 */
  readonly expanded?: readonly Recipient[];
  /** As the log tells it, where that is not how many there are: REDIRECT left one. */
  readonly recipientCount?: number;
}

/** The queues a message can be in, by Postfix's names. `maildrop`: it was requeued and passes cleanup again. */
export type QueueName = 'incoming' | 'active' | 'deferred' | 'hold' | 'corrupt' | 'maildrop';
