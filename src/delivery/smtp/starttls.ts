/** TLS on a connection to a server, and whether it is the server that is wanted. RFC 3207; TLS_README */
import type { X509Certificate } from 'node:crypto';
import { familyOf } from '#address';
import type { EventChannel } from '#events';
import { isTrusted, type PeerCertificate } from '#message';
import type { ClientHandshake, ClientTls } from '#tls';
import type { Connection } from './connection.ts';
import { matchesFingerprints, nameProblem } from './server-match.ts';
import type { SmtpSettings } from './settings.ts';
import { demandsMatch, demandsTls, demandsTrust, isDane } from './tls-levels.ts';
import { daneProblem, isUsable, strongest, tlsaText, type TlsaRecord } from './tlsa.ts';
import type { TlsRules } from './tls-policy.ts';

export interface TlsContext {
  readonly settings: SmtpSettings;
  readonly connection: Connection;
  readonly events: EventChannel;
  readonly tls: TlsRules;
  readonly clientTls: ClientTls;
  /** The domain or host that the mail is for, as configured. */
  readonly nexthopDomain: string;
}

/** `Verified`: it is one of those that are wanted. */
export type Trust = 'Anonymous' | 'Untrusted' | 'Trusted' | 'Verified';

export interface KnownServer {
  readonly trust: Trust;
  /** It is one that the mail may go to. */
  readonly isWanted: boolean;
}

interface Verdict extends KnownServer {
  /** Why the server is not known, as far as it has to be. */
  readonly problem?: string;
  readonly isOfAuthority?: boolean;
}

type Secured = Extract<ClientHandshake, { readonly kind: 'secured' }>;

/** Puts TLS on a connection, and logs what came of it; undefined: it failed, and the connection is gone. */
export async function startTls(context: TlsContext): Promise<KnownServer | undefined> {
  const { settings, connection, events, tls, clientTls } = context;
  const { protocols, ciphers, exclude } = tls.attributes;
  const records = usableRecords(context);
  connection.socket.removeAllListeners('data');
  const result = await clientTls.secure(
    connection.socket,
    {
      isDemanded: demandsTls(tls.level),
      needsCertificate: demandsMatch(tls.level),
      protocols,
      ciphers,
      ...(exclude && { excluded: exclude }),
      serverName: serverNameFor(context),
    },
    { server: connection.label, timeoutMs: settings.timeouts.startTls },
  );
  if (result.kind === 'failed') {
    const { reason, library } = result;
    if (reason !== undefined) events.emit({ kind: 'tlsFailed', server: connection.label, reason });
    if (library !== undefined) events.emit({ kind: 'warning', text: `TLS library problem: ${library}` });
    connection.destroy();
    return undefined;
  }
  for (const what of result.facts.peer?.unprintable ?? [])
    events.emit({ kind: 'warning', text: `tls_text_name: ${connection.label}: non-printable content in ${what}` });
  const verdict = judge(context, result, records);
  const { trust, problem, isOfAuthority = false } = verdict;
  if (problem !== undefined)
    events.emit({ kind: 'tlsServerUnverified', server: connection.label, problem, isOfAuthority });
  if (settings.tls.logLevel > 0)
    events.emit({ kind: 'tlsEstablished', server: connection.label, trust, tls: result.facts });
  connection.adopt(result.socket);
  return verdict;
}

/** The records that can match a certificate; what is wrong with the others is told. */
function usableRecords({ settings, connection, events, tls }: TlsContext): readonly TlsaRecord[] {
  if (tls.dane === undefined) return [];
  const warn = (text: string): void => events.emit({ kind: 'warning', text: `${connection.label}: ${text}` });
  const { daneDigests } = settings.tls;
  const usable = tls.dane.records.filter((record) => {
    const isGood = isUsable(record, daneDigests);
    if (!isGood) warn(`unusable TLSA RR: ${tlsaText(record)}`);
    return isGood;
  });
  if (usable.length === 0)
    warn(`all TLSA records unusable${tls.level === 'dane-only' ? '' : ', fallback to unauthenticated TLS'}`);
  return strongest(usable, daneDigests);
}

/** smtp_tls_servername, `servername=` of a policy, or where DANE has its records. Addresses are no names. RFC 6066, 3; RFC 7672, 8.1 */
function serverNameFor({ settings, connection, tls, nexthopDomain }: TlsContext): string {
  if (tls.dane !== undefined) return tls.dane.baseDomain;
  const word = tls.attributes.servername ?? settings.tls.serverName;
  const name = word === 'hostname' ? connection.endpoint.host : word === 'nexthop' ? nexthopDomain : word;
  return familyOf(name) === undefined ? name : '';
}

function judge(context: TlsContext, secured: Secured, records: readonly TlsaRecord[]): Verdict {
  const { settings, tls } = context;
  const { level, attributes, dane } = tls;
  const { facts, certificate } = secured;
  const { peer } = facts;
  if (peer === undefined || certificate === undefined) return { trust: 'Anonymous', isWanted: !demandsMatch(level) };
  if (level === 'fingerprint') {
    if (matchesFingerprints(peer, attributes.match ?? settings.tls.fingerprints)) return verified;
    // in the words of OpenSSL, which compares fingerprints as if they had come by DANE
    return unwanted('num=65:no matching DANE TLSA records');
  }
  if (dane !== undefined && isDane(level)) {
    if (records.length === 0) return withoutRecords(level, secured);
    // by the time that OpenSSL goes by for others
    const problem = daneProblem({ own: certificate, sent: secured.sent }, records, dane.names, Date.now());
    if (problem !== undefined) return { ...unwanted(problem.text), isOfAuthority: problem.isOfAuthority };
    // who named the server to us is not known
    return level === 'half-dane' ? { trust: 'Trusted', isWanted: true } : verified;
  }
  if (!demandsTrust(level)) return { trust: isTrusted(facts) ? 'Trusted' : 'Untrusted', isWanted: true };
  const problem = trustProblem(context, peer, certificate);
  return problem === undefined ? verified : unwanted(problem);
}

const verified: Verdict = { trust: 'Verified', isWanted: true };

function unwanted(problem: string): Verdict {
  return { trust: 'Untrusted', isWanted: false, problem };
}

/** Records, but none that can match: TLS with whomever. RFC 7672, 2.2 */
function withoutRecords(level: TlsRules['level'], { facts }: Secured): Verdict {
  if (level === 'dane-only') return unwanted('num=1:unspecified certificate verification error');
  const problem = facts.peer?.problem;
  return {
    trust: isTrusted(facts) ? 'Trusted' : 'Untrusted',
    isWanted: true,
    ...(problem !== undefined && { problem }),
  };
}

/** As OpenSSL goes about it: who vouches for it, whose it is, and whether its time is now. */
function trustProblem(
  { settings, connection, tls, nexthopDomain }: TlsContext,
  peer: PeerCertificate,
  certificate: X509Certificate,
): string | undefined {
  const isAboutTime = peer.problem?.startsWith('certificate ') === true;
  const wrongName = nameProblem(certificate, {
    words: tls.attributes.match ?? (tls.level === 'verify' ? settings.tls.verifyMatch : settings.tls.secureMatch),
    nexthop: nexthopDomain,
    host: connection.endpoint.host,
  });
  return isAboutTime ? (wrongName ?? peer.problem) : (peer.problem ?? wrongName);
}
