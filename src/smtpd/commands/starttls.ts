/** STARTTLS, and TLS before the greeting. RFC 3207; RFC 8314; smtpd(8) */
import type { Duplex } from 'node:stream';
import { isTrusted, type TlsFacts } from '#message';
import { logAccepted, logHandshakeStart } from '#tls';
import { type CommandResult, replyOf } from '../command-result.ts';
import { logLost, warn } from '../session-log.ts';
import type { Session } from '../session.ts';
import type { Arguments } from './index.ts';

export async function startTls(session: Session, { words }: Arguments): Promise<CommandResult> {
  const { tls } = session.options;
  if (words.length > 1) return replyOf('501 5.5.4 Syntax: STARTTLS');
  if (session.tls !== undefined) return replyOf('554 5.5.1 Error: TLS already active');
  if (tls === undefined || session.discarded.has('starttls')) {
    return replyOf('502 5.5.1 Error: command not implemented');
  }
  if (tls.acceptor === undefined) {
    return { ...replyOf('454 4.7.0 TLS not available due to local problem'), trouble: 'software' };
  }
  const refusal = await session.limits.refusalOf('newTlsSession');
  return refusal ?? { ...replyOf('220 2.0.0 Ready to start TLS'), startsTls: true };
}

/** The handshake. False: it failed, and the session is over. */
export async function secureSession(session: Session): Promise<boolean> {
  const { tls, events } = session.options;
  const { acceptor } = tls ?? {};
  if (tls === undefined || acceptor === undefined) {
    session.exchange.cut();
    return false;
  }
  const { clientText: client } = session;
  const log = { events, tls, client, level: await tls.logLevels.of(session.client) };
  logHandshakeStart(log);
  const secure = async (plain: Duplex): Promise<Duplex | undefined> => {
    const accepted = await acceptor.accept(plain, session.settings.starttlsTimeoutMs);
    if (accepted.kind === 'accepted') {
      logAccepted(log, accepted);
      session.tls = accepted.facts;
      if (tls.requiresCertificate) session.certificateProblem = certificateProblem(accepted.facts);
      if (session.certificateProblem !== undefined) {
        events.emit({ kind: 'tlsAbandoned', client, reason: session.certificateProblem });
      }
      return accepted.stream;
    }
    const isLibrary = accepted.by === 'handshake';
    events.emit({ kind: 'tlsRefused', client, reason: isLibrary ? '-1' : accepted.reason });
    if (isLibrary) warn(session, `TLS library problem: ${accepted.reason}`);
    logLost(session, 'lost connection');
    return undefined;
  };
  // without a command before it, the handshake may have begun already
  const isSecured = await session.exchange.changeStream(secure, tls.wraps ? 'kept' : 'forgotten');
  if (!tls.wraps || session.certificateProblem === undefined) return isSecured;
  // there is no command that could be answered
  await endForCertificate(session, session.certificateProblem);
  return false;
}

/** What a certificate that is required lacks. smtpd_tls_req_ccert */
function certificateProblem(tls: TlsFacts): string | undefined {
  if (tls.peer === undefined) return 'No client certificate presented';
  return isTrusted(tls) ? undefined : 'Client certificate not trusted';
}

/** Ends the session of a client that has not shown who it is. */
export function endForCertificate(session: Session, problem: string): Promise<void> {
  return session.exchange.end(replyOf(`421 4.7.1 ${session.settings.myhostname} Error: ${problem}`));
}

/** A client that has to have TLS first may do this without. inventory e.2 */
export const allowedBeforeTls: ReadonlySet<string> = new Set([
  'HELO',
  'EHLO',
  'XCLIENT',
  'STARTTLS',
  'NOOP',
  'QUIT',
  'HELP',
]);
