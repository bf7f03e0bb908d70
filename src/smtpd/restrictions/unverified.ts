/** reject_unverified_sender and reject_unverified_recipient: asks where the address leads to. ADDRESS_VERIFICATION_README */
import type { VerifiedAddress } from '#message';
import { whenReady } from '#message';
import { type Constructor, type Decision, dunno, type Evaluation } from './restriction.ts';

/** What replies show of the reason. */
const maxReasonBytes = 250;

interface Rules {
  readonly kind: 'sender' | 'recipient';
  readonly rejectCode: number;
  readonly deferCode: number;
  /** Instead of what the probe found; '' when that is shown. */
  readonly reason: string;
  /** unverified_*_tempfail_action */
  readonly action: string;
  /** RFC 3463: subject and detail */
  readonly detail: string;
}

function unverified(kind: Rules['kind']): Constructor {
  return ({ settings, verification }) => {
    const rules: Rules = {
      kind,
      rejectCode: settings.int(`unverified_${kind}_reject_code`),
      deferCode: settings.int(`unverified_${kind}_defer_code`),
      reason: settings.string(`unverified_${kind}_reject_reason`),
      action: settings.string(`unverified_${kind}_tempfail_action`),
      detail: kind === 'sender' ? '1.7' : '1.1',
    };
    // as long as so many looks, with these pauses between them, would take
    const waitMs = (settings.int('address_verify_poll_count') - 1) * settings.ms('address_verify_poll_delay');
    const service = settings.string('address_verify_service_name');
    return (evaluation) => {
      const address = kind === 'sender' ? evaluation.facts.sender : evaluation.facts.recipient;
      if (address === undefined || address === '') return dunno;
      return whenReady(verification?.query(address, waitMs), (found) => {
        if (found !== undefined) return decide(found, rules, evaluation);
        evaluation.warn(`${service} service failure`);
        return putOff(rules, 450, text(evaluation, 'address verification problem'));
      });
    };
  };
}

function decide({ state, reason }: VerifiedAddress, rules: Rules, evaluation: Evaluation): Decision {
  if (state === 'deliverable') return dunno;
  const code = state === 'bounced' ? rules.rejectCode : rules.deferCode;
  const why = cut(rules.reason === '' ? reason : rules.reason);
  switch (Math.floor(code / 100)) {
    case 2:
      return dunno;
    case 4:
      return putOff(rules, code, text(evaluation, `unverified address: ${why}`));
    default:
      return {
        kind: 'reject',
        code,
        dsn: `5.${rules.detail}`,
        text: text(evaluation, `undeliverable address: ${why}`),
      };
  }
}

function putOff({ action, detail }: Rules, code: number, reply: string): Decision {
  return { kind: action === 'defer' ? 'reject' : 'deferIfPermit', code, dsn: `4.${detail}`, text: reply };
}

function text({ subject }: Evaluation, what: string): string {
  return `<${subject.datum}>: ${subject.replyClass} rejected: ${what}`;
}

function cut(reason: string): string {
  const bytes = Buffer.from(reason);
  return bytes.length <= maxReasonBytes
    ? reason
    : bytes
        .subarray(0, maxReasonBytes)
        .toString('utf8')
        .replace(/\uFFFD+$/, '');
}

export const unverifiedChecks: Readonly<Record<string, Constructor>> = {
  reject_unverified_sender: unverified('sender'),
  reject_unverified_recipient: unverified('recipient'),
};
