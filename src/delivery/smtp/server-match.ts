/** Whether a certificate is one of those that a destination may show. postconf(5) smtp_tls_verify_cert_match */
import type { X509Certificate } from 'node:crypto';
import { domainToAscii } from '#address';
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

/** RFC 6125, 6.4; X509_check_host(3) */
export function matchesNames(certificate: X509Certificate, wanted: NamesWanted): boolean {
  const rules = {
    subject: 'default',
    wildcards: true,
    partialWildcards: false,
    // as Postfix, whatever tls_wildcard_matches_multiple_labels says
    multiLabelWildcards: false,
    singleLabelSubdomains: false,
  } as const;
  return wanted.words.some((word) => {
    const name = asciiOf(nameOf(word, wanted));
    return name !== '' && certificate.checkHost(name, rules) !== undefined;
  });
}

/** Of the certificate, or of its key. */
export function matchesFingerprints(peer: PeerCertificate, wanted: readonly string[]): boolean {
  return wanted.some((digest) => [peer.fingerprint, peer.keyFingerprint].includes(digest.toUpperCase()));
}
