/** reject_unverified_sender and reject_unverified_recipient: asks where the address leads to. ADDRESS_VERIFICATION_README */
import type { Settings } from '#config';
import { type VerifiedAddress, whenReady } from '#message';
import { type Constructor, type Decision, dunno, type Evaluation } from './restriction.ts';

/** What a temporary reply shows of the reason. */
const maxReasonBytes = 250;

interface Rules {
  readonly rejectCode: number;
  readonly deferCode: number;
  /** Instead of what the probe found; '' when that is shown. */
  readonly reason: string;
  /** What becomes of a temporary answer: `defer` or `defer_if_permit`. */
  readonly action: string;
  /** RFC 3463: subject and detail */
  readonly detail: string;
}

function senderRules(settings: Settings): Rules {
  return {
    rejectCode: settings.int('unverified_sender_reject_code'),
    deferCode: settings.int('unverified_sender_defer_code'),
    reason: settings.string('unverified_sender_reject_reason'),
    action: settings.string('unverified_sender_tempfail_action'),
    detail: '1.7',
  };
}

function recipientRules(settings: Settings): Rules {
  return {
    rejectCode: settings.int('unverified_recipient_reject_code'),
    deferCode: settings.int('unverified_recipient_defer_code'),
    reason: settings.string('unverified_recipient_reject_reason'),
    action: settings.string('unverified_recipient_tempfail_action'),
    detail: '1.1',
  };
}

function unverified(kind: 'sender' | 'recipient', readRules: (settings: Settings) => Rules): Constructor {
  return ({ settings, verification }) => {
    const rules = readRules(settings);
    const looks = {
      count: settings.int('address_verify_poll_count'),
      delayMs: settings.timerMs('address_verify_poll_delay'),
    };
    const service = settings.string('address_verify_service_name');
    return (evaluation) => {
      const address = kind === 'sender' ? evaluation.facts.sender : evaluation.facts.recipient;
      if (address === undefined || address === '') return dunno;
      return whenReady(verification?.query(address, looks), (found) => {
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
  const why = rules.reason === '' ? reason : rules.reason;
  switch (Math.floor(code / 100)) {
    case 2:
      return dunno;
    case 4:
      return putOff(rules, code, text(evaluation, `unverified address: ${cut(why)}`));
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
  reject_unverified_sender: unverified('sender', senderRules),
  reject_unverified_recipient: unverified('recipient', recipientRules),
};
