/** Switches of OpenSSL by name. postconf(5) tls_ssl_options */
import { constants } from 'node:crypto';

const enableMiddleboxCompatibility = 1 << 20;

const switches: ReadonlyMap<string, number> = new Map([
  ['ENABLE_MIDDLEBOX_COMPAT', enableMiddleboxCompatibility],
  ['LEGACY_SERVER_CONNECT', constants.SSL_OP_LEGACY_SERVER_CONNECT],
  ['NO_COMPRESSION', constants.SSL_OP_NO_COMPRESSION],
  ['NO_RENEGOTIATION', constants.SSL_OP_NO_RENEGOTIATION],
  ['NO_SESSION_RESUMPTION_ON_RENEGOTIATION', constants.SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION],
  ['NO_TICKET', constants.SSL_OP_NO_TICKET],
  ['PRIORITIZE_CHACHA', constants.SSL_OP_PRIORITIZE_CHACHA],
]);

/** Names, or bits as `0x4000`; a text says which of them is unknown. */
export function sslOptions(words: readonly string[]): number | string {
  let options = 0;
  for (const word of words) {
    const bits = /^0x[0-9a-f]{1,8}$/i.test(word) ? Number(word) : switches.get(word.toUpperCase());
    if (bits === undefined) return `tls_ssl_options: unknown "${word}"; known are ${[...switches.keys()].join(', ')}`;
    options |= bits;
  }
  return options;
}
