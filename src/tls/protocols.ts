/** Versions of TLS as main.cf names them. postconf(5) smtpd_tls_mandatory_protocols */
import type { SecureVersion } from 'node:tls';

const versions: readonly SecureVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];
const older = new Set(['sslv2', 'sslv3']);

export interface VersionRange {
  readonly minVersion: SecureVersion;
  readonly maxVersion: SecureVersion;
}

/** The range that `>=TLSv1.2`, `<=TLSv1.2`, `!TLSv1` or `TLSv1.2, TLSv1.3` mean; a text says what is wrong. */
export function versionRange(words: readonly string[]): VersionRange | string {
  const named = new Set<SecureVersion>();
  const allowed = new Set(versions);
  for (const word of words) {
    const [, sign = '', name = ''] = /^(>=|<=|!)?(.*)$/.exec(word) ?? [];
    const at = versions.findIndex((version) => version.toLowerCase() === name.toLowerCase());
    if (at < 0 && !older.has(name.toLowerCase())) return `unknown protocol "${word}"; known are ${versions.join(', ')}`;
    const version = versions[at];
    if (sign === '>=') for (const lower of versions.slice(0, Math.max(at, 0))) allowed.delete(lower);
    else if (sign === '<=') for (const higher of versions.slice(at + 1)) allowed.delete(higher);
    else if (version === undefined) continue;
    else if (sign === '!') allowed.delete(version);
    else named.add(version);
  }
  const left = versions.filter((version) => allowed.has(version) && (named.size === 0 || named.has(version)));
  const [minVersion] = left;
  const maxVersion = left.at(-1);
  return minVersion === undefined || maxVersion === undefined
    ? `no protocol is left of "${words.join(', ')}"`
    : { minVersion, maxVersion };
}
