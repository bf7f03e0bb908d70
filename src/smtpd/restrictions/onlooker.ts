/**
 * What an onlooker hears of an evaluation, in the order it happens: `posthorn explain` makes its report of it. Nobody
 * listens in a real session, and then nothing of this is made.
 */
import type { SessionFacts, Stage } from '../policy.ts';
import type { Decision, Restriction } from './restriction.ts';

/** What a decision comes to where it was made. */
export type Effect =
  /** The next restriction decides. */
  | 'next'
  /** Nothing more of this list is asked. */
  | 'permits'
  | 'refuses'
  /** A refusal under warn_if_reject: only logged. */
  | 'warns'
  /** A temporary refusal that is said if the recipient would be accepted. defer_if_permit */
  | 'put off'
  /** As `put off`, but an earlier one is said. */
  | 'already put off'
  /** What would refuse for good refuses for now. defer_if_reject */
  | 'remembered'
  /** A refusal that became a temporary one, because of defer_if_reject. */
  | 'refuses for now'
  /** Further restrictions follow, from a class or a table. */
  | 'list';

/** Why a stage has no more to ask, or asks no list at all. */
export type Remark =
  | 'postmaster'
  | 'discarded'
  | 'settled'
  | 'deferral inherited'
  | 'deferral said'
  | 'deferral kept'
  | 'soft bounce';

export interface PolicyOnlooker {
  tell(event: PolicyEvent): void;
  /** A decision in place of asking a restriction; undefined: it is asked. */
  instead(restriction: Restriction): Decision | undefined;
  /** What a decision counts for: one that was made without the network may be worth nothing. */
  reviewed(decision: Decision): Decision;
}

export type PolicyEvent =
  | { readonly kind: 'stage'; readonly stage: Stage; readonly facts: SessionFacts }
  /** `isImplicit`: nobody wrote it; smtpd_reject_unlisted_recipient and its kin. */
  | { readonly kind: 'list'; readonly parameter: string; readonly length: number; readonly isImplicit: boolean }
  | { readonly kind: 'asked'; readonly restriction: Restriction }
  | {
      readonly kind: 'answered';
      readonly restriction: Restriction;
      readonly decision: Decision;
      readonly effect: Effect;
      readonly isSoftened: boolean;
    }
  /** The list that a restriction led to is over. */
  | { readonly kind: 'left'; readonly restriction: Restriction }
  | { readonly kind: 'remark'; readonly remark: Remark };

/** What a decision comes to. */
export function effectOf(
  decision: Decision,
  state: { readonly warnOnly: boolean; readonly isPutOff: boolean; readonly softensRefusals: boolean },
): Effect {
  switch (decision.kind) {
    case 'dunno':
      return 'next';
    case 'permit':
      return 'permits';
    case 'list':
      return 'list';
    case 'deferIfPermit':
      return state.warnOnly ? 'warns' : state.isPutOff ? 'already put off' : 'put off';
    case 'deferIfReject':
      return 'remembered';
    case 'abandon':
      return 'refuses';
    case 'reject':
      if (state.warnOnly && decision.isOurs !== true) return 'warns';
      return state.softensRefusals && decision.code >= 500 ? 'refuses for now' : 'refuses';
  }
}
