/** The reasons for which cleanup does not take a message, and the reply for each. inventory e.2, "cleanup result table" */
import type { SubmissionResult } from '#message';

export type Refusal = SubmissionResult & { readonly kind: 'refused' };

export type RefusalReason = 'write' | 'full' | 'aliases' | 'recipients' | 'hops' | 'size' | 'aborted';

const replies: Readonly<Record<RefusalReason, Refusal>> = {
  write: { kind: 'refused', code: 451, dsn: '4.3.0', text: 'Error: queue file write error' },
  full: { kind: 'refused', code: 452, dsn: '4.3.1', text: 'Error: insufficient system storage' },
  aliases: { kind: 'refused', code: 451, dsn: '4.6.0', text: 'Alias expansion error' },
  recipients: { kind: 'refused', code: 550, dsn: '5.1.0', text: 'Error: no recipients specified' },
  hops: { kind: 'refused', code: 554, dsn: '5.4.0', text: 'Error: too many hops' },
  size: { kind: 'refused', code: 552, dsn: '5.3.4', text: 'Error: message file too big' },
  aborted: { kind: 'refused', code: 451, dsn: '4.3.0', text: 'Error: internal protocol error' },
};

/** `content`: what a rule or strict check said; its status code decides whether trying again may help. */
export function refuse(reason: RefusalReason): Refusal;
export function refuse(reason: 'content', rejection: { readonly dsn: string; readonly text: string }): Refusal;
export function refuse(
  reason: RefusalReason | 'content',
  rejection?: { readonly dsn: string; readonly text: string },
): Refusal {
  if (reason !== 'content') return replies[reason];
  const { dsn, text } = rejection ?? { dsn: '5.7.1', text: 'message content rejected' };
  return { kind: 'refused', code: dsn.startsWith('4') ? 451 : 550, dsn, text };
}
