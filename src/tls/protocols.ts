/** Versions of TLS as main.cf names them. postconf(5) smtpd_tls_mandatory_protocols */
import { constants } from 'node:crypto';
import type { SecureVersion } from 'node:tls';

const versions: readonly SecureVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];
const older = new Set(['sslv2', 'sslv3']);

export interface VersionRange {
  readonly minVersion: SecureVersion;
  readonly maxVersion: SecureVersion;
}

/** What `>=TLSv1.2`, `<=TLSv1.2`, `!TLSv1` or `TLSv1.2, TLSv1.3` mean; a text says what is wrong. */
function allowedVersions(words: readonly string[]): readonly SecureVersion[] | string {
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
  return left.length === 0 ? `no protocol is left of "${words.join(', ')}"` : left;
}

/** From the lowest to the highest version that is allowed; a text says what is wrong. */
export function versionRange(words: readonly string[]): VersionRange | string {
  const allowed = allowedVersions(words);
  if (typeof allowed === 'string') return allowed;
  const [minVersion = 'TLSv1.2'] = allowed;
  return { minVersion, maxVersion: allowed.at(-1) ?? minVersion };
}

const withoutVersion: Readonly<Record<SecureVersion, number>> = {
  TLSv1: constants.SSL_OP_NO_TLSv1,
  'TLSv1.1': constants.SSL_OP_NO_TLSv1_1,
  'TLSv1.2': constants.SSL_OP_NO_TLSv1_2,
  'TLSv1.3': constants.SSL_OP_NO_TLSv1_3,
};

/** For OpenSSL: versions that are left out between those that are allowed. */
export function gapOptions(words: readonly string[]): number {
  const allowed = allowedVersions(words);
  if (typeof allowed === 'string') return 0;
  const omitted = versions.filter((version) => !allowed.includes(version));
  return omitted.reduce((options, version) => options | withoutVersion[version], 0);
}
