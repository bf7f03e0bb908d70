/** Versions of TLS as main.cf names them. postconf(5) smtpd_tls_mandatory_protocols */
import { constants } from 'node:crypto';
import type { SecureVersion } from 'node:tls';

const versions: readonly SecureVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];
const versionNumbers: readonly number[] = [0x301, 0x302, 0x303, 0x304];
const older = new Set(['sslv2', 'sslv3']);

export interface VersionRange {
  readonly minVersion: SecureVersion;
  readonly maxVersion: SecureVersion;
}

/** By name, or as a bound by number: `0303`, `0x303`. */
function versionAt(name: string, sign: string): number {
  const at = versions.findIndex((version) => version.toLowerCase() === name.toLowerCase());
  const [, hex = ''] = /^(?:0x)?0*([0-9a-f]{3})$/i.exec(name) ?? [];
  return at >= 0 || !sign.endsWith('=') || hex === '' ? at : versionNumbers.indexOf(Number.parseInt(hex, 16));
}

/** What `>=TLSv1.2`, `<=TLSv1.2`, `!TLSv1` or `TLSv1.2, TLSv1.3` mean; a text says what is wrong. */
function allowedVersions(words: readonly string[]): readonly SecureVersion[] | string {
  const named = new Set<SecureVersion>();
  const allowed = new Set(versions);
  let hasNamed = false;
  for (const word of words.flatMap((text) => text.split(':')).filter((text) => text !== '')) {
    const [, sign = '', name = ''] = /^(>=|<=|!)?(.*)$/.exec(word) ?? [];
    const at = versionAt(name, sign);
    if (at < 0 && !older.has(name.toLowerCase())) return `unknown protocol "${word}"; known are ${versions.join(', ')}`;
    const version = versions[at];
    hasNamed ||= sign === '';
    if (sign === '>=') for (const lower of versions.slice(0, Math.max(at, 0))) allowed.delete(lower);
    else if (sign === '<=') for (const higher of versions.slice(at + 1)) allowed.delete(higher);
    else if (version === undefined) continue;
    else if (sign === '!') allowed.delete(version);
    else named.add(version);
  }
  return versions.filter((version) => allowed.has(version) && (!hasNamed || named.has(version)));
}

/** From the lowest to the highest version that is allowed, all where none is; a text says what is wrong. */
export function versionRange(words: readonly string[]): VersionRange | string {
  const allowed = allowedVersions(words);
  if (typeof allowed === 'string') return allowed;
  return { minVersion: allowed[0] ?? 'TLSv1', maxVersion: allowed.at(-1) ?? 'TLSv1.3' };
}

const withoutVersion: Readonly<Record<SecureVersion, number>> = {
  TLSv1: constants.SSL_OP_NO_TLSv1,
  'TLSv1.1': constants.SSL_OP_NO_TLSv1_1,
  'TLSv1.2': constants.SSL_OP_NO_TLSv1_2,
  'TLSv1.3': constants.SSL_OP_NO_TLSv1_3,
};

/** For OpenSSL: versions that are left out, between those that are allowed or all of them. */
export function gapOptions(words: readonly string[]): number {
  const allowed = allowedVersions(words);
  if (typeof allowed === 'string') return 0;
  const omitted = versions.filter((version) => !allowed.includes(version));
  return omitted.reduce((options, version) => options | withoutVersion[version], 0);
}
