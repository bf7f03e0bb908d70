/**
 * The status of one recipient: what a delivery attempt, or a refusal, says about it.
 *
 * RFC 3463 (enhanced status codes), RFC 3464 (what a delivery status notification reports).
 */

/** What became of a recipient in one attempt. Postfix's words for the log: sent, deferred, bounced. */
export type OutcomeKind = 'sent' | 'deferred' | 'bounced' | 'deliverable' | 'undeliverable';

/** What a failure comes to, by the class of its status code: whether another attempt may help. RFC 3463, 2 */
export function failureKind(code: string): 'deferred' | 'bounced' {
  return code.startsWith('5') ? 'bounced' : 'deferred';
}

/** RFC 3464, 2.3.3 Action, and Postfix's further words for reports asked for by `sendmail -v`/`-bv`. */
export type DsnAction =
  | 'failed'
  | 'delayed'
  | 'delivered'
  | 'relayed'
  | 'expanded'
  | 'deliverable'
  | 'undeliverable'
  | 'discarded';

/** A status as data: code, reason, and who said so. */
export interface Status {
  /** RFC 3463 `class.subject.detail`, such as `4.4.1`. */
  readonly code: string;
  /** Text for people and the log, without the code: `connect to mx.example[192.0.2.1]:25: Connection refused`. */
  readonly reason: string;
  /** RFC 3464 Diagnostic-Code: type (`smtp`, `x-unix`, `X-Postfix`) and text; absent: `X-Postfix; REASON`. */
  readonly diagnostic?: { readonly type: string; readonly text: string };
  /** RFC 3464 Remote-MTA as `type; name`, such as `dns; mx.example`. */
  readonly remoteMta?: string;
}
