/**
 * How TLS is to be used for mail to a destination: smtp_tls_policy_maps, else smtp_tls_security_level (TLS_README), and what the message itself asks for (RFC 8689).
 */
import { isValidHostName } from '#address';
import type { Envelope, Status } from '#message';
import type { TableList } from '#tables';
import type { Destination } from './destination.ts';
import { policyTrouble, type RequireTlsLevel, requireTlsLevelFor } from './require-tls.ts';
import { isFingerprint } from './server-match.ts';
import type { ServerTables } from './server-tables.ts';
import type { SmtpSettings } from './settings.ts';
import { type ParsedPolicy, parsePolicyText, type TlsAttributes } from './tls-attributes.ts';
import type { DaneRecords } from './dane.ts';
import { demandsTrust, isDane, levelNamed, type TlsLevel } from './tls-levels.ts';
import type { TlsaRecord } from './tlsa.ts';
import { readTrustAnchors } from './trust-anchors.ts';

export interface TlsRules {
  readonly level: TlsLevel;
  /** What REQUIRETLS asks for; `disable` also for mail without it. */
  readonly requireTls: RequireTlsLevel;
  /** Of the policy for this destination. */
  readonly attributes: TlsAttributes;
  /** What one server is known by, at a level of DANE. */
  readonly dane?: DaneRecords;
  /** What its certificate has to lead to, instead of the authorities of the settings. */
  readonly anchors?: readonly TlsaRecord[];
}

export type TlsPolicy<T = TlsRules> =
  | ({ readonly kind: 'rules' } & T)
  /** Mail waits: what is asked for can't be kept, or is not known. Never less TLS than asked for. */
  | { readonly kind: 'refused'; readonly status: Status; readonly warning: string };

type Target = Exclude<Destination, { readonly kind: 'invalid' }>;
type LevelPolicy = TlsPolicy<Pick<TlsRules, 'level' | 'attributes' | 'anchors'>>;

/** What holds for a message. REQUIRETLS takes precedence over `TLS-Required: no`. */
export async function tlsRulesFor(
  settings: SmtpSettings,
  tables: Pick<ServerTables, 'tlsPolicies' | 'requireTls'>,
  destination: Target,
  envelope: Pick<Envelope, 'requireTls' | 'tlsNotRequired'>,
  warn: (text: string) => void,
): Promise<TlsPolicy> {
  const isRequired = settings.requireTls && envelope.requireTls;
  if (!isRequired && settings.tlsRequiredField && envelope.tlsNotRequired === true) {
    const lowest = settings.tls.level === 'none' ? 'none' : 'may';
    // what begins with TLS can't do without
    const level = settings.tls.wrapperMode ? 'encrypt' : lowest;
    return { kind: 'rules', level, requireTls: 'disable', attributes: {} };
  }
  const policy = await tlsPolicyFor(settings, tables.tlsPolicies, destination, warn);
  if (policy.kind === 'refused') return policy;
  if (!isRequired) return { ...policy, requireTls: 'disable' };
  const found = await requireTlsLevelFor(tables.requireTls, destination);
  if ('warning' in found) return { kind: 'refused', status: policyTrouble, warning: found.warning };
  return { ...policy, requireTls: found.level };
}

/** Looks the destination up: as written, then for a bare domain its parents as `.parent`. */
async function tlsPolicyFor(
  settings: SmtpSettings,
  policies: TableList,
  destination: Target,
  warn: (text: string) => void,
): Promise<LevelPolicy> {
  const where = `${settings.parameter('tls_policy_maps')}, next-hop destination "${destination.text}"`;
  for (const key of policyKeys(policies, destination)) {
    const found = await policies.lookup(key);
    if (found.kind === 'failed') return refused(`${where}: policy table lookup error`);
    if (found.kind !== 'found') continue;
    const policy = parsePolicyText(found.value);
    if (typeof policy === 'string') return refused(`${where}: ${policy}`);
    for (const text of policy.warnings) warn(`${where}: ${text}`);
    return settled(settings, destination, policy, warn);
  }
  const level = levelNamed(settings.tls.level);
  if (level === undefined)
    return refused(`${settings.parameter('tls_security_level')}: invalid security level "${settings.tls.level}"`);
  return settled(settings, destination, { level, attributes: {} }, warn);
}

function policyKeys(policies: TableList, destination: Target): string[] {
  if (policies.isEmpty) return [];
  const keys = [destination.text];
  if (destination.kind === 'unix' || destination.literal || destination.text.includes(':')) return keys;
  const { domain } = destination;
  for (let dot = domain.indexOf('.'); dot >= 0; dot = domain.indexOf('.', dot + 1)) keys.push(domain.slice(dot));
  return keys;
}

/** Why DANE can't be had; undefined: it can. smtp(8) */
function daneTrouble(settings: SmtpSettings, destination: Target, level: TlsLevel): string | undefined {
  if (!settings.hasDnssec || !settings.hostLookup.includes('dns'))
    return `${destination.text}: ${level} configured with dnssec lookups disabled`;
  if (settings.protocol === 'smtp' && settings.ignoreMxLookupError)
    return `${destination.text}: ${level} configured with MX lookup errors ignored`;
  // names that are completed are not those that were signed
  if (settings.resolverOptions.length > 0)
    return `${destination.text}: dns resolver options incompatible with ${level} TLS`;
  return undefined;
}

/** What can't be kept as it is: DANE without DNSSEC, fingerprints that are none, names that can't be said. */
function settled(
  settings: SmtpSettings,
  destination: Target,
  { level, attributes }: Pick<ParsedPolicy, 'level' | 'attributes'>,
  warn: (text: string) => void,
): LevelPolicy {
  if (isDane(level) && destination.kind === 'unix') {
    const what = `the "${level}" security level is invalid for delivery via unix-domain sockets`;
    return refused(`${destination.path}: ${what}`);
  }
  const trouble = isDane(level) ? daneTrouble(settings, destination, level) : undefined;
  if (trouble !== undefined) {
    if (level === 'dane-only') return refused(trouble);
    warn(trouble);
    return { kind: 'rules', level: 'may', attributes };
  }
  const { serverName } = settings.tls;
  if (level !== 'none' && serverName !== '' && !isValidHostName(serverName)) {
    return refused(`"${settings.parameter('tls_servername')} = ${serverName}" specifies an invalid hostname`);
  }
  const files = demandsTrust(level) ? (attributes.tafile ?? settings.tls.trustAnchorFiles) : [];
  if (files.length > 0) return anchored(level, attributes, files);
  if (level !== 'fingerprint') return { kind: 'rules', level, attributes };
  const all = attributes.match ?? settings.tls.fingerprints;
  const match = all.filter(isFingerprint);
  for (const value of all.filter((text) => !isFingerprint(text))) warn(`malformed fingerprint value: ${value}`);
  if (match.length > 0) return { kind: 'rules', level, attributes: { ...attributes, match } };
  const what = 'configured at fingerprint security level, but with no fingerprints to match.';
  return refused(`nexthop domain ${destination.text}: ${what}`);
}

function anchored(level: TlsLevel, attributes: TlsAttributes, files: readonly string[]): LevelPolicy {
  const anchors: TlsaRecord[] = [];
  for (const file of files) {
    const found = readTrustAnchors(file);
    if (typeof found === 'string') return refused(found);
    anchors.push(...found);
  }
  return { kind: 'rules', level, attributes, anchors };
}

function refused(warning: string): Extract<LevelPolicy, { readonly kind: 'refused' }> {
  return { kind: 'refused', status: policyTrouble, warning };
}
