/** Switches of OpenSSL by name: workarounds for others' bugs, and features. postconf(5) tls_disable_workarounds, tls_ssl_options */
import { constants } from 'node:crypto';
import type { Settings } from '#config';

const enableMiddleboxCompatibility = 1 << 20;
const tlsExtensionPadding = 1 << 4;

/** Those that are no more in any OpenSSL of today have no bits left. */
const workarounds: ReadonlyMap<string, number> = new Map([
  ['CRYPTOPRO_TLSEXT_BUG', constants.SSL_OP_CRYPTOPRO_TLSEXT_BUG],
  ['CVE-2005-2969', 0],
  ['CVE-2010-4180', 0],
  ['DONT_INSERT_EMPTY_FRAGMENTS', constants.SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS],
  ['LEGACY_SERVER_CONNECT', constants.SSL_OP_LEGACY_SERVER_CONNECT],
  ['MICROSOFT_BIG_SSLV3_BUFFER', 0],
  ['MICROSOFT_SESS_ID_BUG', 0],
  ['MSIE_SSLV2_RSA_PADDING', 0],
  ['NETSCAPE_CHALLENGE_BUG', 0],
  ['NETSCAPE_REUSE_CIPHER_CHANGE_BUG', 0],
  ['SSLEAY_080_CLIENT_DH_BUG', 0],
  ['SSLREF2_REUSE_CERT_TYPE_BUG', 0],
  ['TLSEXT_PADDING', tlsExtensionPadding],
  ['TLS_BLOCK_PADDING_BUG', 0],
  ['TLS_D5_BUG', 0],
  ['TLS_ROLLBACK_BUG', constants.SSL_OP_TLS_ROLLBACK_BUG],
]);

const features: ReadonlyMap<string, number> = new Map([
  ['ENABLE_MIDDLEBOX_COMPAT', enableMiddleboxCompatibility],
  ['LEGACY_SERVER_CONNECT', constants.SSL_OP_LEGACY_SERVER_CONNECT],
  ['NO_COMPRESSION', constants.SSL_OP_NO_COMPRESSION],
  ['NO_RENEGOTIATION', constants.SSL_OP_NO_RENEGOTIATION],
  ['NO_SESSION_RESUMPTION_ON_RENEGOTIATION', constants.SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION],
  ['NO_TICKET', constants.SSL_OP_NO_TICKET],
  ['PRIORITIZE_CHACHA', constants.SSL_OP_PRIORITIZE_CHACHA],
]);

/** Settings of their own say these. */
const managed =
  constants.SSL_OP_CIPHER_SERVER_PREFERENCE |
  constants.SSL_OP_NO_SSLv3 |
  constants.SSL_OP_NO_TLSv1 |
  constants.SSL_OP_NO_TLSv1_1 |
  constants.SSL_OP_NO_TLSv1_2 |
  constants.SSL_OP_NO_TLSv1_3;

const namesOf: Readonly<Record<string, ReadonlyMap<string, number>>> = {
  tls_disable_workarounds: workarounds,
  tls_ssl_options: features,
};

/** The parameters whose words are switches. */
export const switchParameters: readonly string[] = Object.keys(namesOf);

function bitsOf(parameter: string, word: string): number | undefined {
  if (/^0x[0-9a-f]+$/i.test(word)) return Number(BigInt(word) & 0xffffffffn);
  return namesOf[parameter]?.get(word.toUpperCase());
}

/** For each word that names no switch, which changes nothing, a line of the log. */
export function unknownSwitches(settings: Settings, parameter: string): readonly string[] {
  const isUnknown = (word: string): boolean => bitsOf(parameter, word) === undefined;
  const value = settings.string(parameter);
  return settings
    .list(parameter)
    .filter(isUnknown)
    .map((word) => `unknown ${parameter} value "${word}" in "${value}"`);
}

/** What OpenSSL is told, as `secureOptions`: all workarounds but those that are disabled, and features. */
export function opensslOptions(settings: Settings): number {
  const bits = (parameter: string): number =>
    settings.list(parameter).reduce((all, word) => all | (bitsOf(parameter, word) ?? 0), 0);
  const workedAround = constants.SSL_OP_ALL & ~bits('tls_disable_workarounds');
  return withoutSign(workedAround | (bits('tls_ssl_options') & ~(constants.SSL_OP_ALL | managed)));
}

/** Bits for Node, to which a sign would be 32 bits more. */
export function withoutSign(bits: number): number {
  return bits >>> 0;
}
