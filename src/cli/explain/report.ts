/**
 * What `posthorn explain --json` prints: a conversation with the SMTP server step by step, the verdict for each
 * recipient, and the way of what was accepted. docs/explain.md describes it for readers of the JSON.
 */
import type { Origin } from '#config';
import type { Effect } from '#smtpd';

export interface Report {
  readonly configuration: string;
  readonly service: { readonly name: string; readonly origin: Origin };
  readonly client: {
    readonly address: string;
    readonly name: string;
    readonly reverseName: string;
    readonly login: string;
    readonly tls: boolean;
  };
  readonly helo: string;
  readonly sender: string;
  readonly stages: readonly Stage[];
  readonly recipients: readonly RecipientReport[];
  /** What this explanation leaves out. */
  readonly notes: readonly string[];
}

/** A command of the client, all that was asked for it, and the reply. */
export interface Stage {
  readonly command: string;
  readonly steps: readonly Step[];
  readonly log: readonly string[];
  /** Undefined: the server hung up. */
  readonly reply?: ReplyReport | undefined;
}

export interface ReplyReport {
  readonly code: number;
  /** Enhanced status code, '' when there is none. RFC 3463 */
  readonly dsn: string;
  /** Lines without code, as sent: the footer of smtpd_reject_footer is among them. */
  readonly lines: readonly string[];
}

export type Step = ListStep | RestrictionStep | RemarkStep | LookupStep;

/** A parameter's list of restrictions. */
export interface ListStep {
  readonly kind: 'list';
  readonly parameter: string;
  /** Where it was set; null: it is the default. */
  readonly origin: Origin | null;
  readonly steps: readonly Step[];
}

export interface RestrictionStep {
  readonly kind: 'restriction';
  readonly name: string;
  readonly argument: string;
  /** Where it was written; null: in a table's result, or nowhere. */
  readonly origin: Origin | null;
  /** Under warn_if_reject. */
  readonly warnOnly: boolean;
  readonly lookups: readonly Lookup[];
  readonly log: readonly string[];
  /** What it does with the message, besides its answer: `hold`, `discard`, `filter`, `redirect`, `bcc`, `prepend` … */
  readonly actions: readonly string[];
  /** What it said: `dunno`, `permit`, `reject`, `defer_if_permit`, `defer_if_reject`, `list`. */
  readonly answer: string;
  /** Code, enhanced code and text of an answer that refuses. */
  readonly reply?: string;
  readonly effect: Effect;
  /** Why it was not asked, or its answer not heard. */
  readonly avoided?: string;
  /** Of a restriction class, or of a table's result. */
  readonly steps: readonly Step[];
}

export interface RemarkStep {
  readonly kind: 'remark';
  readonly text: string;
}

/** A lookup that no restriction asked for, such as smtpd_reject_footer_maps. */
export interface LookupStep {
  readonly kind: 'lookup';
  readonly lookup: Lookup;
}

/** One question to a table, a match list, or DNS. */
export interface Lookup {
  readonly kind: 'table' | 'list' | 'dns' | 'host';
  /** `rewrite`: to find out where an address leads. */
  readonly asker: 'smtpd' | 'rewrite' | 'cleanup';
  /** The table, the list's parameter, or the DNS type. */
  readonly where: string;
  readonly key: string;
  readonly found: boolean;
  /** The value, the element that matched, the records, or why there is none. */
  readonly answer: string;
}

export type Verdict = 'accept' | 'reject' | 'defer' | 'discard' | 'hold' | 'hangup';

export interface RecipientReport {
  readonly recipient: string;
  readonly verdict: Verdict;
  /** Undefined: the server hung up. */
  readonly reply?: ReplyReport;
  /** The step that made the verdict; absent when no restriction did. */
  readonly decidedBy?: DecidedBy;
  /** Of an accepted recipient. */
  readonly way?: WayReport;
}

/** A restriction with its argument. */
export interface NamedRestriction {
  readonly restriction: string;
  readonly origin: Origin | null;
}

export interface DecidedBy extends NamedRestriction {
  readonly stage: string;
  readonly parameter: string;
  /** Restriction classes, and tables whose result was a list: what led to the restriction, outermost first. */
  readonly through: readonly NamedRestriction[];
}

export interface WayReport {
  readonly lookups: readonly Lookup[];
  readonly warnings: readonly string[];
  /** `incoming`, `hold`, `discarded`, or `refused` by cleanup. */
  readonly queue: 'incoming' | 'hold' | 'discarded' | 'refused';
  /** Cleanup's reply. */
  readonly refusal?: string;
  /** After rewriting. */
  readonly sender?: string;
  readonly deliveries: readonly DeliveryReport[];
}

export interface DeliveryReport {
  readonly recipient: string;
  /** A copy for somebody whom the client did not name. */
  readonly isCopy: boolean;
  readonly addressClass?: string;
  readonly transport?: string;
  readonly nexthop?: string;
  /** The transport's entry in master.cf; null: there is none, and the mail stays in the queue. */
  readonly entry?: Origin | null;
  /** content_filter or FILTER takes it. */
  readonly isFilter?: boolean;
  /** Decided without any transport. */
  readonly outcome?: 'deferred' | 'bounced' | 'sent';
  readonly reason?: string;
}
