/** How much of TLS mail to a destination wants. TLS_README; postconf(5) smtp_tls_security_level */

/** In their order. `half-dane`: of a server that is known by DANE, for a domain whose MX records are not to be trusted. */
const tlsLevels = [
  'none',
  'may',
  'encrypt',
  'fingerprint',
  'half-dane',
  'dane',
  'dane-only',
  'verify',
  'secure',
] as const;

export type TlsLevel = (typeof tlsLevels)[number];

/** undefined: there is no such level to ask for. */
export function levelNamed(name: string): TlsLevel | undefined {
  return tlsLevels.find((known) => known === name.toLowerCase() && known !== 'half-dane');
}

const at = (level: TlsLevel): number => tlsLevels.indexOf(level);

/** No mail without TLS. */
export function demandsTls(level: TlsLevel): boolean {
  return at(level) >= at('encrypt');
}

/** Only to a server whose certificate is one of those that are wanted. */
export function demandsMatch(level: TlsLevel): boolean {
  return at(level) >= at('fingerprint');
}

/** An authority that is believed vouches for the certificate. */
export function demandsTrust(level: TlsLevel): boolean {
  return at(level) >= at('verify');
}

/** What is wanted of a certificate is in the DNS. RFC 7672 */
export function isDane(level: TlsLevel): level is 'half-dane' | 'dane' | 'dane-only' {
  return level === 'half-dane' || level === 'dane' || level === 'dane-only';
}
