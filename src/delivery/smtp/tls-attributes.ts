/** A result of smtp_tls_policy_maps: `LEVEL name=value …`. postconf(5) smtp_tls_policy_maps */
import { isValidHostName } from '#address';
import { splitList } from '#config';
import { demandsMatch, demandsTrust, isDane, levelNamed, type TlsLevel } from './tls-levels.ts';

/** What a policy says beyond the level; undefined: the settings count. */
export interface TlsAttributes {
  readonly protocols?: readonly string[];
  readonly ciphers?: string;
  readonly exclude?: readonly string[];
  /** Fingerprints, or names. */
  readonly match?: readonly string[];
  readonly servername?: string;
  /** Files of the authorities that a certificate has to lead to. */
  readonly tafile?: readonly string[];
}

export interface ParsedPolicy {
  readonly level: TlsLevel;
  readonly attributes: TlsAttributes;
  /** What is overlooked. */
  readonly warnings: readonly string[];
}

/** Attributes that need no heed here: of MTA-STS, whose policy `match` has as well, and of kept connections. */
const overlooked = new Set([
  'connection_reuse',
  'enable_rpk',
  'mx_host_pattern',
  'policy_domain',
  'policy_failure',
  'policy_string',
  'policy_ttl',
  'policy_type',
]);

/** Words, and `{ … }` with blanks in it. */
function wordsOf(text: string): readonly string[] {
  return [...text.matchAll(/(?:\{[^}]*\}|[^\s,{}])+/g)].map(([word]) => word.replaceAll(/[{}]/g, ' ').trim());
}

type Attributes = { -readonly [Name in keyof TlsAttributes]: TlsAttributes[Name] };

function partsOf(value: string, separator: ':' | '|'): readonly string[] {
  return value.split(separator).flatMap((part) => splitList(part));
}

/** A text says what is wrong, without the place. */
export function parsePolicyText(text: string): ParsedPolicy | string {
  const [first = '', ...rest] = wordsOf(text);
  const level = levelNamed(first);
  if (level === undefined) return `invalid security level "${first}"`;
  if (level === 'none') {
    const warnings = rest.map((word) => `ignoring attribute "${word}" with TLS disabled`);
    return { level, attributes: {}, warnings };
  }
  const attributes: Attributes = {};
  for (const word of rest) {
    const problem = take(word, level, attributes);
    if (problem !== undefined) return problem;
  }
  return { level, attributes, warnings: [] };
}

const known = ['protocols', 'ciphers', 'exclude', 'match', 'servername', 'tafile'] as const;

function isKnown(key: string): key is (typeof known)[number] {
  return known.some((name) => name === key);
}

/** Gives what is wrong with it. */
function take(word: string, level: TlsLevel, attributes: Attributes): string | undefined {
  const [, name = '', value = ''] = /^([^=]*?)\s*=\s*(.*)$/s.exec(word) ?? [];
  if (name === '') return `malformed attribute/value pair "${word}": missing '=' after attribute name`;
  const key = name.toLowerCase();
  // what DANE wants to match is in the DNS
  const takesMatch = demandsMatch(level) && !isDane(level);
  const isOutOfPlace = (key === 'match' && !takesMatch) || (key === 'tafile' && !demandsTrust(level));
  if (isOutOfPlace) return `attribute "${name}" invalid at security level "${level}"`;
  if (key === 'connection_reuse' && !/^(?:yes|no)$/i.test(value))
    return `attribute "${name}" has bad value: "${value}"`;
  if (overlooked.has(key)) return undefined;
  if (!isKnown(key)) return `invalid attribute name: "${name}"`;
  if (value === '' && key !== 'protocols') return `attribute "${name}" has empty value`;
  // what matches may be said in several places
  if (key !== 'match' && key !== 'tafile' && attributes[key] !== undefined)
    return `attribute "${name}" is specified multiple times`;
  switch (key) {
    case 'protocols':
      attributes.protocols = partsOf(value, ':');
      return undefined;
    case 'ciphers':
      attributes.ciphers = value;
      return undefined;
    case 'servername':
      if (!isValidHostName(value)) return `"${word}" specifies an invalid hostname`;
      attributes.servername = value;
      return undefined;
    case 'exclude':
      attributes.exclude = partsOf(value, ':');
      return undefined;
    case 'tafile':
      attributes.tafile = [...(attributes.tafile ?? []), value];
      return undefined;
    case 'match':
      attributes.match = [...(attributes.match ?? []), ...partsOf(value, level === 'fingerprint' ? '|' : ':')];
      return undefined;
  }
}
