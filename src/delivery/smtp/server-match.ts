/** Whether a certificate is one of those that a destination may show. postconf(5) smtp_tls_verify_cert_match */
import type { X509Certificate } from 'node:crypto';
import { domainToAscii, familyOf } from '#address';
import type { PeerCertificate } from '#message';

export interface NamesWanted {
  /** `hostname`, `nexthop`, `dot-nexthop`, or names; `.name` stands for what is below it. */
  readonly words: readonly string[];
  /** The domain that the mail is for, or the host it is sent to, as configured. */
  readonly nexthop: string;
  /** The server's name, as found for it. */
  readonly host: string;
}

function nameOf(word: string, { nexthop, host }: NamesWanted): string {
  switch (word.toLowerCase()) {
    case 'nexthop':
      return nexthop;
    case 'dot-nexthop':
      return `.${nexthop}`;
    case 'hostname':
      return host;
    default:
      return word;
  }
}

/** Names in certificates are A-labels. */
function asciiOf(name: string): string {
  return name.startsWith('.') ? `.${domainToAscii(name.slice(1)) ?? name.slice(1)}` : (domainToAscii(name) ?? name);
}

const nameRules = {
  subject: 'default',
  wildcards: true,
  partialWildcards: false,
  // as Postfix, whatever tls_wildcard_matches_multiple_labels says
  multiLabelWildcards: false,
  singleLabelSubdomains: false,
} as const;

/**
 * Why a certificate is none of those that are wanted, in OpenSSL's words; undefined: it is. It has to have one of the names,
 * and the first of the addresses. RFC 6125, 6.4; X509_check_host(3), X509_check_ip(3)
 */
export function nameProblem(certificate: X509Certificate, wanted: NamesWanted): string | undefined {
  const words = wanted.words.map((word) => nameOf(word, wanted)).filter((word) => word !== '' && word !== '.');
  const [address] = words.filter((word) => familyOf(word) !== undefined);
  const names = words.filter((word) => familyOf(word) === undefined).map(asciiOf);
  const isNamed = names.some((name) => certificate.checkHost(name, nameRules) !== undefined);
  if (words.length === 0 || (names.length > 0 && !isNamed)) return 'num=62:hostname mismatch';
  const isAddressed = address === undefined || certificate.checkIP(address) !== undefined;
  return isAddressed ? undefined : 'num=64:IP address mismatch';
}

const plain = (digest: string): string => digest.replaceAll(':', '').toUpperCase();

/** Hexadecimal, with colons between the bytes or without. */
export function isFingerprint(text: string): boolean {
  return /^[0-9a-f]{2}(?::?[0-9a-f]{2})*$/i.test(text);
}

/** Of the certificate, or of its key. */
export function matchesFingerprints(peer: PeerCertificate, wanted: readonly string[]): boolean {
  const own = [peer.fingerprint, peer.keyFingerprint].map(plain);
  return wanted.some((digest) => own.includes(plain(digest)));
}
