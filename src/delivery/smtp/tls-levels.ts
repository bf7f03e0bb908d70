/** How much of TLS mail to a destination wants. TLS_README; postconf(5) smtp_tls_security_level */

/** In their order. The levels that DANE stands behind are refused before a byte is sent. */
export const tlsLevels = ['none', 'may', 'encrypt', 'fingerprint', 'verify', 'secure'] as const;

export type TlsLevel = (typeof tlsLevels)[number];

const at = (level: string): number => tlsLevels.findIndex((known) => known === level);

/** No mail without TLS. */
export function demandsTls(level: TlsLevel): boolean {
  return at(level) >= at('encrypt');
}

/** Only to a server whose certificate is one of those that are wanted. */
export function demandsMatch(level: string): boolean {
  return at(level) >= at('fingerprint');
}

/** An authority that is believed vouches for the certificate. */
export function demandsTrust(level: string): boolean {
  return at(level) >= at('verify');
}
