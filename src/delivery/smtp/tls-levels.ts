/** How much of TLS mail to a destination wants. TLS_README; postconf(5) smtp_tls_security_level */

/** In their order. */
export const tlsLevels = ['none', 'may', 'encrypt', 'fingerprint', 'verify', 'secure'] as const;

export type TlsLevel = (typeof tlsLevels)[number];

/** Refused before a byte is sent, or read as `may`. */
export type DaneLevel = 'dane' | 'dane-only';

const allLevels: readonly (TlsLevel | DaneLevel)[] = [...tlsLevels, 'dane', 'dane-only'];

/** undefined: there is no such level. */
export function levelNamed(name: string): TlsLevel | DaneLevel | undefined {
  return allLevels.find((known) => known === name.toLowerCase());
}

/** Those of DANE demand nothing that a policy could add to. */
const at = (level: TlsLevel | DaneLevel): number => tlsLevels.findIndex((known) => known === level);

/** No mail without TLS. */
export function demandsTls(level: TlsLevel): boolean {
  return at(level) >= at('encrypt');
}

/** Only to a server whose certificate is one of those that are wanted. */
export function demandsMatch(level: TlsLevel | DaneLevel): boolean {
  return at(level) >= at('fingerprint');
}

/** An authority that is believed vouches for the certificate. */
export function demandsTrust(level: TlsLevel | DaneLevel): boolean {
  return at(level) >= at('verify');
}
