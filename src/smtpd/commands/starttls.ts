/** STARTTLS, and TLS before the greeting. RFC 3207; RFC 8314; smtpd(8) */
import { acceptTls } from '#tls';
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
  if (tls.context === undefined) return replyOf('454 4.7.0 TLS not available due to local problem');
  const refusal = await session.limits.refusalOf('newTlsSession');
  return refusal ?? { ...replyOf('220 2.0.0 Ready to start TLS'), startsTls: true };
}

/** The handshake. False: it failed, and the session is over. */
export async function secureSession(session: Session): Promise<boolean> {
  const { tls, events } = session.options;
  const { context } = tls ?? {};
  if (tls === undefined || context === undefined) return false;
  const { clientText: client } = session;
  if (tls.logLevel > 1) events.emit({ kind: 'tlsSetUp', client });
  const isSecured = await session.exchange.changeStream(async (plain) => {
    const accepted = await acceptTls(plain, context, tls.timeoutMs);
    if (accepted.kind === 'accepted') {
      session.tls = accepted.facts;
      return accepted.stream;
    }
    events.emit({ kind: 'tlsRefused', client });
    warn(session, `TLS library problem: ${accepted.reason}`);
    logLost(session, 'lost connection');
    return undefined;
  });
  if (isSecured && tls.logLevel > 0 && session.tls !== undefined) {
    events.emit({ kind: 'tlsAccepted', client, ...session.tls });
  }
  return isSecured;
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
