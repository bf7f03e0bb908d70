/** STARTTLS, and TLS before the greeting. RFC 3207; RFC 8314; smtpd(8) */
import type { Duplex } from 'node:stream';
import { isTrusted, type TlsFacts } from '#message';
import { logAccepted, logHandshakeStart, logStates, watchOf } from '#tls';
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
  if (tls.acceptor === undefined && tls.cipherProblem === undefined) {
    return { ...replyOf('454 4.7.0 TLS not available due to local problem'), trouble: 'software' };
  }
  if (await session.limits.refusesTls()) {
    warn(session, `Refusing STARTTLS request from ${session.clientText} for service ${session.settings.service}`);
    return replyOf(`454 4.7.0 Error: too many new TLS sessions from ${session.clientText}`);
  }
  return { ...replyOf('220 2.0.0 Ready to start TLS'), startsTls: true };
}

/** TLS before the greeting. False: there is none to be had, and the session is over. smtpd_tls_wrappermode */
export async function beginSecured(session: Session): Promise<boolean> {
  const { clientText, settings, options, exchange } = session;
  const service = `from ${clientText} for service ${settings.service}`;
  if (options.tls?.acceptor === undefined && options.tls?.cipherProblem === undefined) {
    const why = 'TLS context initialization failed. For details see earlier warnings in your logs.';
    warn(session, `Wrapper-mode request dropped ${service}. ${why}`);
  } else if (await session.limits.refusesTls()) warn(session, `Refusing TLS service request ${service}`);
  else {
    await secureSession(session);
    // there is no command that could be answered
    if (session.farewell !== undefined) await exchange.end(replyOf(session.farewell));
    return !exchange.isOver;
  }
  exchange.cut();
  return false;
}

/** The handshake. False: it failed, or the client may not go on. */
export async function secureSession(session: Session): Promise<boolean> {
  const { tls, events } = session.options;
  if (tls === undefined) return false;
  const { acceptor } = tls;
  const { clientText: client, settings } = session;
  const log = { events, tls, client, level: await tls.logLevels.of(session.client) };
  const canBegin = logHandshakeStart(log);
  if (!canBegin || acceptor === undefined) return cutOff(session);
  let isNew = false;
  const secure = async (plain: Duplex): Promise<Duplex | undefined> => {
    const accepted = await acceptor.accept(plain, settings.starttlsTimeoutMs, watchOf(log));
    if (accepted.kind === 'accepted') {
      logAccepted(log, accepted);
      session.tls = accepted.facts;
      isNew = !accepted.isReused;
      return accepted.stream;
    }
    logStates(log, accepted);
    const isLibrary = accepted.by === 'handshake';
    events.emit({ kind: 'tlsRefused', client, reason: isLibrary ? '-1' : accepted.reason });
    if (isLibrary) warn(session, `TLS library problem: ${accepted.reason}`);
    logLost(session, 'lost connection');
    return undefined;
  };
  // without a command before it, the handshake may have begun already
  const isSecured = await session.exchange.changeStream(secure, tls.wraps ? 'kept' : 'forgotten');
  if (!isSecured || session.tls === undefined) return false;
  if (isNew && (await session.limits.countTls())) {
    session.farewell = `421 4.7.0 ${settings.myhostname} Error: too many new TLS sessions from ${client}`;
    return false;
  }
  const problem = tls.requiresCertificate ? certificateProblem(session.tls) : undefined;
  if (problem === undefined) return true;
  events.emit({ kind: 'tlsAbandoned', client, reason: problem });
  session.farewell = `421 4.7.1 ${settings.myhostname} Error: ${problem}`;
  return true;
}

/** The handshake can't begin, and nothing that was sent in plaintext counts any more. */
function cutOff(session: Session): false {
  logLost(session, 'lost connection');
  session.exchange.isOver = true;
  return false;
}

/** What a certificate that is required lacks. smtpd_tls_req_ccert */
function certificateProblem(tls: TlsFacts): string | undefined {
  if (tls.peer === undefined) return 'No client certificate presented';
  return isTrusted(tls) ? undefined : 'Client certificate not trusted';
}

/** A client that has to have TLS first may do this without. RFC 3207, 4 */
export const allowedBeforeTls: ReadonlySet<string> = new Set([
  'HELO',
  'EHLO',
  'XCLIENT',
  'STARTTLS',
  'NOOP',
  'QUIT',
  'HELP',
]);
