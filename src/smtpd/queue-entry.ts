/** The queue entry of a session's mail: opened at the first accepted recipient, when the log says whose it is. */
import type { Submission } from '#message';
import { attributesOf, envelopeOf } from './envelope.ts';
import { receivedField } from './received.ts';
import { clientText, type Transaction } from './session-state.ts';
import type { Session } from './session.ts';

export function openSubmission(session: Session, transaction: Transaction): Submission {
  if (transaction.submission !== undefined) return transaction.submission;
  const { settings, options } = session;
  const isLocal = session.forwarding.isLocal ?? transaction.rewritesLocally;
  const submission = options.submission.open({
    envelope: envelopeOf(session, transaction, isLocal ? 'local' : 'remote'),
    source: 'smtpd',
    overrides: settings.overrides,
    prepend: () => receivedFieldOf(session, transaction, submission.queueId),
  });
  transaction.submission = submission;
  for (const action of transaction.waitingActions.splice(0)) submission.apply(action);
  logOrigin(session, transaction, submission.queueId);
  return submission;
}

/** Whose mail an entry is; '': mail that has no entry here. */
export function logOrigin(session: Session, transaction: Transaction, queueId: string): void {
  const { clientText: client } = session;
  session.options.events.emit({ kind: 'client', queueId, client, extra: originText(session, transaction) });
}

/** What XCLIENT and XFORWARD told of where the mail comes from. */
function originText({ login: { user, method }, forwarding }: Session, { saslSender }: Transaction): string {
  const { client, queueId } = forwarding;
  const login = user === '' ? '' : `, sasl_method=${method}, sasl_username=${user}`;
  const sender = saslSender === undefined ? '' : `, sasl_sender=${saslSender}`;
  const before = queueId === '' ? '' : `, orig_queue_id=${queueId}`;
  if (client === undefined) return `${login}${sender}${before}`;
  const origin = client.address === 'unknown' ? client.name : clientText(client);
  return `${login}${sender}${before}, orig_client=${origin}`;
}

/** `queueId`: '' when there is none. */
export function receivedFieldOf(session: Session, transaction: Transaction, queueId: string): Buffer {
  const { settings, protocol, options } = session;
  return receivedField({
    client: attributesOf(session.client, session.helo ?? '', protocol),
    protocol: protocolName(session, transaction),
    myhostname: settings.myhostname,
    mailName: settings.mailName,
    queueId,
    recipients: transaction.recipients,
    at: transaction.startedAt,
    hidesClient: settings.hidesClientSession,
    tls:
      options.tls?.isInReceived === true && session.tls !== undefined
        ? { facts: session.tls, asksCertificate: options.tls.asksCertificate }
        : undefined,
    login: settings.tellsLogin ? session.login.user : '',
  });
}

/** `ESMTPSA` and the like. RFC 3848, RFC 6531, 3.7.3 */
function protocolName({ protocol, tls, login }: Session, { smtputf8 }: Transaction): string {
  const suffix = protocol === 'ESMTP' ? `${tls === undefined ? '' : 'S'}${login.user === '' ? '' : 'A'}` : '';
  return `${smtputf8 ? `UTF8${protocol.replace(/^E/, '')}` : protocol}${suffix}`;
}
