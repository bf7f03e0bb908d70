/** The reasons for which cleanup does not take a message, and the reply for each. RFC 3463 */
import type { SubmissionResult } from '#message';

export type Refusal = SubmissionResult & { readonly kind: 'refused' };

export type RefusalReason = 'write' | 'full' | 'aliases' | 'recipients' | 'hops' | 'size' | 'aborted';

const own = (code: number, dsn: string, text: string): Refusal => ({
  kind: 'refused',
  code,
  dsn,
  text,
  isRuleText: false,
});

const replies: Readonly<Record<RefusalReason, Refusal>> = {
  write: own(451, '4.3.0', 'queue file write error'),
  full: own(452, '4.3.1', 'insufficient system storage'),
  aliases: { kind: 'refused', code: 451, dsn: '4.6.0', text: 'Alias expansion error', isRuleText: true },
  recipients: own(550, '5.1.0', 'no recipients specified'),
  hops: own(554, '5.4.0', 'too many hops'),
  size: own(552, '5.3.4', 'message file too big'),
  aborted: own(451, '4.3.0', 'internal protocol error'),
};

export function refuse(reason: RefusalReason): Refusal {
  return replies[reason];
}

/** What a rule or strict check said; its status code decides whether trying again may help. */
export function refuseContent({ dsn, text }: { readonly dsn: string; readonly text: string }): Refusal {
  return { kind: 'refused', code: dsn.startsWith('4') ? 451 : 550, dsn, text, isRuleText: true };
}
