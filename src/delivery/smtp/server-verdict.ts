/** Whether a server is the one that a level of TLS wants, by what it has shown. TLS_README */
import type { X509Certificate } from 'node:crypto';
import { isTrusted, type PeerCertificate, type TlsFacts } from '#message';
import type { ClientHandshake } from '#tls';
import { matchesFingerprints, nameProblem, type NamesWanted } from './server-match.ts';
import type { SmtpSettings } from './settings.ts';
import { demandsMatch, isDane } from './tls-levels.ts';
import type { TlsRules } from './tls-policy.ts';
import { isOf, ofServer, type TlsaRecord } from './tlsa.ts';

/** `Verified`: it is one of those that are wanted. */
export type Trust = 'Anonymous' | 'Untrusted' | 'Trusted' | 'Verified';

export interface KnownServer {
  readonly trust: Trust;
  /** It is one that the mail may go to. */
  readonly isWanted: boolean;
}

export interface Verdict extends KnownServer {
  /** Why the server is not known, as far as it has to be. */
  readonly problem?: string;
  readonly isOfAuthority?: boolean;
}

/** What is asked of a server. */
export interface ServerWanted {
  readonly settings: SmtpSettings;
  readonly tls: TlsRules;
  /** The domain or host that the mail is for, as configured. */
  readonly nexthopDomain: string;
  /** The server's name, as found for it. */
  readonly host: string;
}

type Secured = Extract<ClientHandshake, { readonly kind: 'secured' }>;

/** What DANE, or files of anchors, say of a server. */
export interface RecordsWanted {
  /** Those that can match. */
  readonly records: readonly TlsaRecord[];
  /** The authorities that these records name were the only ones that the handshake was verified against. */
  readonly hasAnchors: boolean;
}

export function judge(wanted: ServerWanted, secured: Secured, asked: RecordsWanted): Verdict {
  const { settings, tls } = wanted;
  const { level, attributes, dane } = tls;
  const { facts, certificate } = secured;
  const { peer } = facts;
  // a session that goes on has shown its certificate before
  if (peer !== undefined && !demandsMatch(level)) return believed(facts);
  if (peer === undefined || certificate === undefined) return { trust: 'Anonymous', isWanted: !demandsMatch(level) };
  if (level === 'fingerprint') {
    if (matchesFingerprints(peer, attributes.match ?? settings.tls.fingerprints)) return verified;
    // in the words of OpenSSL, which compares fingerprints as if they had come by DANE
    return unwanted('num=65:no matching DANE TLSA records');
  }
  if (dane !== undefined && isDane(level)) {
    if (asked.records.length === 0) return withoutRecords(level, secured);
    const verdict = knownBy(asked, secured, peer, certificate, { words: dane.names, nexthop: '', host: '' });
    // who named the server to us is not known
    return verdict.isWanted && level === 'half-dane' ? { ...verdict, trust: 'Trusted' } : verdict;
  }
  if (tls.anchors !== undefined) return knownBy(asked, secured, peer, certificate, namesFor(wanted));
  const problem = trustProblem(peer, certificate, namesFor(wanted));
  return problem === undefined ? verified : unwanted(problem);
}

function namesFor({ settings, tls, nexthopDomain, host }: ServerWanted): NamesWanted {
  const { verifyMatch, secureMatch } = settings.tls;
  const words = tls.attributes.match ?? (tls.level === 'verify' ? verifyMatch : secureMatch);
  return { words, nexthop: nexthopDomain, host };
}

/** Where no match is demanded the server is wanted whoever it is; the log tells whether an authority vouches for it. */
function believed(facts: TlsFacts): Verdict {
  return { trust: isTrusted(facts) ? 'Trusted' : 'Untrusted', isWanted: true };
}

const verified: Verdict = { trust: 'Verified', isWanted: true };

function unwanted(problem: string): Verdict {
  return { trust: 'Untrusted', isWanted: false, problem };
}

/** Records, but none that can match: TLS with whomever. RFC 7672, 2.2 */
function withoutRecords(level: TlsRules['level'], { facts }: Secured): Verdict {
  if (level === 'dane-only') return unwanted('num=1:unspecified certificate verification error');
  const problem = facts.peer?.problem;
  return { ...believed(facts), ...(problem !== undefined && { problem }) };
}

/**
 * With a record of its own neither the server's name nor its time matters (RFC 7672, 3.1.1); one of an authority wants both to
 * be right (RFC 7671, 5.2), and a chain that OpenSSL finds good.
 */
function knownBy(
  { records, hasAnchors }: RecordsWanted,
  { sent }: Secured,
  peer: PeerCertificate,
  certificate: X509Certificate,
  names: NamesWanted,
): Verdict {
  if (records.some((record) => record.usage === ofServer && isOf(certificate, record))) return verified;
  const leadsNowhere = !hasAnchors || /^(?:self-signed|untrusted issuer)/.test(peer.problem ?? '');
  if (leadsNowhere)
    return { ...unwanted('num=65:no matching DANE TLSA records'), isOfAuthority: hasAnchors && sent.length > 0 };
  const problem = trustProblem(peer, certificate, names);
  return problem === undefined ? verified : unwanted(problem);
}

/** As OpenSSL goes about it: who vouches for it, whose it is, and whether its time is now. */
function trustProblem(peer: PeerCertificate, certificate: X509Certificate, names: NamesWanted): string | undefined {
  const isAboutTime = peer.problem?.startsWith('certificate ') === true;
  const wrongName = nameProblem(certificate, names);
  return isAboutTime ? (wrongName ?? peer.problem) : (peer.problem ?? wrongName);
}
