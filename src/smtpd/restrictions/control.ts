/** permit, reject, defer and their kin. postconf(5) */
import { type Constructor, type Decision, dunno, permit, refuse } from './restriction.ts';

export const control: Readonly<Record<string, Constructor>> = {
  permit: () => () => permit,
  reject: ({ settings }) => {
    const code = settings.int('reject_code');
    return (evaluation) => refuse(evaluation, code, '5.7.1', 'Access denied');
  },
  defer: ({ settings }) => {
    const code = settings.int('defer_code');
    return (evaluation) => refuse(evaluation, code, '4.3.2', 'Try again later');
  },
  defer_if_permit: () => (evaluation) => conditional('deferIfPermit', evaluation, 'defer_if_permit requested'),
  defer_if_reject: () => (evaluation) => conditional('deferIfReject', evaluation, 'defer_if_reject requested'),
  sleep: (_, argument) => () =>
    new Promise<Decision>((resolve) => setTimeout(() => resolve(dunno), Number(argument) * 1000)),
  reject_unauth_pipelining: () => (evaluation) =>
    evaluation.facts.hasPipelinedInput
      ? refuse(evaluation, 503, '5.5.0', 'Improper use of SMTP command pipelining')
      : dunno,
  reject_multi_recipient_bounce: ({ settings }) => {
    const code = settings.int('multi_recipient_bounce_reject_code');
    return (evaluation) =>
      // at RCPT the recipient in question is not counted yet
      evaluation.facts.sender === '' && evaluation.facts.recipientCount > (evaluation.stage === 'rcpt' ? 0 : 1)
        ? refuse(evaluation, code, '5.5.3', 'Multi-recipient bounce')
        : dunno;
  },
  reject_plaintext_session: ({ settings }) => {
    const code = settings.int('plaintext_reject_code');
    return ({ facts }) =>
      facts.tls === undefined ? { kind: 'reject', code, dsn: '4.7.1', text: 'Session encryption is required' } : dunno;
  },
};

function conditional(
  kind: 'deferIfPermit' | 'deferIfReject',
  evaluation: Parameters<typeof refuse>[0],
  text: string,
): Decision {
  return {
    kind,
    code: 450,
    dsn: '4.7.0',
    text: `<${evaluation.subject.datum}>: ${evaluation.subject.replyClass} rejected: ${text}`,
  };
}
