/** permit, reject, defer and their kin. postconf(5) */
import { configurationError, type Constructor, type Decision, dunno, permit, refuse } from './restriction.ts';

export const control: Readonly<Record<string, Constructor>> = {
  permit: () => () => permit,
  dunno: () => () => dunno,
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
  sleep: (_, argument) => {
    if (!/^\d+$/.test(argument)) {
      return ({ warn }) => {
        warn('restriction sleep must be followed by number');
        return configurationError;
      };
    }
    const seconds = Number(argument);
    return () => new Promise<Decision>((resolve) => setTimeout(() => resolve(dunno), seconds * 1000));
  },
  reject_unauth_pipelining: () => (evaluation) =>
    evaluation.facts.hasPipelinedInput
      ? refuse(evaluation, 503, '5.5.0', 'Improper use of SMTP command pipelining')
      : dunno,
  reject_multi_recipient_bounce: ({ settings }) => {
    const code = settings.int('multi_recipient_bounce_reject_code');
    return (evaluation) =>
      evaluation.facts.sender === '' && evaluation.facts.recipientCount > 1
        ? refuse(evaluation, code, '5.5.3', 'Multi-recipient bounce')
        : dunno;
  },
  reject_plaintext_session: ({ settings }) => {
    const code = settings.int('plaintext_reject_code');
    const dsn = `${Math.floor(code / 100)}.7.1`;
    return () => ({ kind: 'reject', code, dsn, text: 'Session encryption is required' });
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
