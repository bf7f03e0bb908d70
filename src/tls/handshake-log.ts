/** What the log says of a handshake, by its level. postconf(5) smtpd_tls_loglevel */
import type { EventChannel } from '#events';
import { isTrusted } from '#message';
import type { Accepted } from './accept.ts';
import type { ServerTls } from './server-settings.ts';

export interface HandshakeLog {
  readonly events: EventChannel;
  readonly tls: ServerTls;
  /** As the service names it. */
  readonly client: string;
  /** smtpd_tls_loglevel for this client. */
  readonly level: number;
}

/** Level at which details are told. */
const detailed = 2;

/** False: the ciphers make it impossible. */
export function logHandshakeStart({ events, tls, client, level }: HandshakeLog): boolean {
  if (level >= detailed) events.emit({ kind: 'tlsSetUp', client });
  const { cipherProblem } = tls;
  if (cipherProblem !== undefined) {
    const { text, library } = cipherProblem;
    events.emit({ kind: 'warning', text: `${client}: ${text}` });
    if (library !== undefined) events.emit({ kind: 'warning', text: `TLS library problem: ${library}` });
    return false;
  }
  if (level >= detailed) events.emit({ kind: 'tlsCiphers', client, list: tls.ciphers });
  return true;
}

export function logAccepted(log: HandshakeLog, accepted: Extract<Accepted, { readonly kind: 'accepted' }>): void {
  const { events, tls, client, level } = log;
  const { facts, isReused, requestedName } = accepted;
  const { peer } = facts;
  const outcome = requestedName === '' ? undefined : tls.serverNames?.outcomeOf(requestedName);
  if (outcome === 'invalid')
    events.emit({ kind: 'warning', text: `TLS SNI from ${client} is invalid: ${requestedName}` });
  if (outcome === 'unmatched') events.emit({ kind: 'tlsNameUnmatched', client, serverName: requestedName });
  for (const what of peer?.unprintable ?? []) {
    events.emit({ kind: 'warning', text: `tls_text_name: ${client}: non-printable content in ${what}` });
  }
  if (level <= 0) return;
  if (level >= detailed) {
    if (isReused) events.emit({ kind: 'tlsResumed', client, byTicket: tls.resumesByTicketOnly });
    if (peer !== undefined) {
      events.emit({ kind: 'tlsPeerName', whose: 'subject', name: peer.subject });
      events.emit({ kind: 'tlsPeerName', whose: 'issuer', name: peer.issuer });
      events.emit({ kind: 'tlsPeer', client, peer });
    }
  }
  if (tls.requiresCertificate && peer?.problem !== undefined && !isTrusted(facts)) {
    events.emit({ kind: 'tlsUnverified', client, problem: peer.problem });
  }
  events.emit({ kind: 'tlsAccepted', client, tls: facts });
}
