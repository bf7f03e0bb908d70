/**
 * A message on its way into the queue: what smtpd, pickup, bounce and local hand to cleanup.
 */
import type { Envelope, Notify, Recipient } from './envelope.ts';
import type { MaybePromise } from './result.ts';
import type { Status } from './status.ts';

/** receive_override_options: what a service leaves out. */
export const receiveOverrides = [
  'no_unknown_recipient_checks',
  'no_address_mappings',
  'no_header_body_checks',
  'no_milters',
] as const;
export type ReceiveOverride = (typeof receiveOverrides)[number];

/** What a submitter knows before the first recipient. Addresses as received, internal form, not yet rewritten. */
export interface SubmissionOptions {
  readonly envelope: Omit<Envelope, 'messageId'>;
  /** Where it comes from: decides checks, aliases and milters (receive_override_options, internal_mail_filter_classes). */
  readonly source: 'smtpd' | 'pickup' | 'bounce' | 'notify' | 'forward' | 'verify';
  /** receive_override_options, per service. */
  readonly overrides: readonly ReceiveOverride[];
  /** Header lines to put on top (PREPEND, Received, Delivered-To): complete, folded, CRLF-ended. */
  readonly prepend: Buffer | (() => Buffer);
  /** For a probe: its address stands for several ones, so it exists, and the message goes nowhere. */
  readonly onAliased?: (status: Status) => void;
}

export interface SubmittedRecipient {
  readonly address: string;
  readonly original: string;
  readonly dsnOriginal: string;
  readonly notify: readonly Notify[];
  /** It stood in the header section: checks of the content can't know of it yet. */
  readonly isFromHeader?: boolean;
}

/** Envelope actions that access(5) tables and policy servers ask for during the session. */
export type SubmissionAction =
  | { readonly kind: 'hold' }
  | { readonly kind: 'discard' }
  | { readonly kind: 'filter'; readonly destination: string }
  | { readonly kind: 'redirect'; readonly address: string }
  | { readonly kind: 'bcc'; readonly address: string }
  /** A header field, without line end. */
  | { readonly kind: 'prepend'; readonly header: string };

/** Sender, recipients (but when they are many), header section and Message-Id as cleanup made them. */
export interface RefusedMessage {
  readonly sender: string;
  readonly recipients?: readonly Recipient[];
  readonly header?: Buffer;
  /** '' where cleanup did not come so far. */
  readonly messageId: string;
}

/** How a submission ended. */
export type SubmissionResult =
  | { readonly kind: 'queued'; readonly queueId: string }
  /**
   * REJECT, too large, too many hops, no space …: the SMTP reply's parts. `isRuleText`: the text is a rule's own, so
   * that a reply gives it as it is; cleanup's own words are introduced as an error.
   */
  | {
      readonly kind: 'refused';
      readonly code: number;
      readonly dsn: string;
      readonly text: string;
      readonly isRuleText: boolean;
      /** What the message became until then, for who has to return it. */
      readonly returned?: RefusedMessage;
    };

/** One message being received. The owner calls write in order, then end or abort, exactly once. */
export interface Submission {
  readonly queueId: string;
  /** A promise means: wait before adding many more. */
  addRecipient(recipient: SubmittedRecipient): MaybePromise<void>;
  apply(action: SubmissionAction): void;
  /** Content with CRLF line ends, not dot-stuffed, any split. A promise means: wait before writing more. */
  write(chunk: Buffer): MaybePromise<void>;
  /** Resolves when the message is committed and synced ("250 means on disk"), or refused. */
  end(): Promise<SubmissionResult>;
  /** The client went away: nothing is kept. */
  abort(): void;
}

/** The door into the queue. */
export interface SubmissionPort {
  open(options: SubmissionOptions): Submission;
}
