/** What the log says of a handshake, by its level. postconf(5) smtpd_tls_loglevel */
import type { EventChannel } from '#events';
import { isTrusted } from '#message';
import type { Accepted, Watch } from './accept.ts';
import type { ServerTls } from './server-settings.ts';
import { detailedLevel } from './log-levels.ts';
import { certificateRead, helloRead } from './handshake-states.ts';
import { WireTrace } from './wire-trace.ts';

export interface HandshakeLog {
  readonly events: EventChannel;
  readonly tls: ServerTls;
  /** As the service names it. */
  readonly client: string;
  /** smtpd_tls_loglevel for this client. */
  readonly level: number;
}

/** Level at which bytes are told, of the handshake and of all. */
const traced = 3;
const tracedWhole = 4;

/** What the acceptor has to look at for the log. */
export function watchOf({ events, client, level }: HandshakeLog): Watch {
  const trace = new WireTrace(client, (text) => events.emit({ kind: 'note', text }));
  return {
    wantsStates: level >= detailedLevel,
    trace: level >= traced ? (direction, bytes) => trace.add(direction, bytes) : undefined,
    tracesAll: level >= tracedWhole,
  };
}

/** How far a handshake came. */
export function logStates({ events }: HandshakeLog, { states }: Accepted): void {
  for (const state of states) events.emit({ kind: 'tlsState', state });
}

type Success = Extract<Accepted, { readonly kind: 'accepted' }>;

/** What came of the name that the client asked for is told before its first words have been read, … */
function logName({ events, tls, client }: HandshakeLog, { requestedName }: Success): void {
  const outcome = requestedName === '' ? undefined : tls.serverNames?.outcomeOf(requestedName);
  if (outcome === 'invalid') {
    events.emit({ kind: 'warning', text: `TLS SNI from ${client} is invalid: ${requestedName}` });
  }
  if (outcome === 'unmatched') events.emit({ kind: 'tlsNameUnmatched', client, serverName: requestedName });
}

/** … and what was found of its certificate before that has been. */
function logProgress(log: HandshakeLog, accepted: Success): void {
  const { events, client } = log;
  const { states, verification } = accepted;
  const hello = states.indexOf(helloRead);
  const certificate = states.indexOf(certificateRead);
  for (const [at, state] of states.entries()) {
    if (at === hello) logName(log, accepted);
    if (at === certificate) for (const step of verification) events.emit({ kind: 'tlsVerified', client, ...step });
    events.emit({ kind: 'tlsState', state });
  }
  if (hello < 0) logName(log, accepted);
}

/** False: the ciphers make it impossible. */
export function logHandshakeStart({ events, tls, client, level }: HandshakeLog): boolean {
  if (level >= detailedLevel) events.emit({ kind: 'tlsSetUp', client });
  const { cipherProblem } = tls;
  if (cipherProblem !== undefined) {
    const { text, library } = cipherProblem;
    events.emit({ kind: 'warning', text: `${client}: ${text}` });
    if (library !== undefined) events.emit({ kind: 'warning', text: `TLS library problem: ${library}` });
    return false;
  }
  if (level >= detailedLevel) events.emit({ kind: 'tlsCiphers', client, list: tls.ciphers });
  return true;
}

export function logAccepted(log: HandshakeLog, accepted: Success): void {
  const { events, tls, client, level } = log;
  const { facts, isReused } = accepted;
  const { peer } = facts;
  logProgress(log, accepted);
  for (const what of peer?.unprintable ?? []) {
    events.emit({ kind: 'warning', text: `tls_text_name: ${client}: non-printable content in ${what}` });
  }
  if (level <= 0) return;
  if (level >= detailedLevel) {
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
