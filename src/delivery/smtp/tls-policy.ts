/**
 * How TLS is to be used for mail to a destination: smtp_tls_policy_maps, else smtp_tls_security_level (inventory, f.5;
 * TLS_README), and what the message itself asks for (RFC 8689).
 */
import type { Envelope, Status } from '#message';
import type { TableList } from '#tables';
import type { Destination } from './destination.ts';
import { policyTrouble, type RequireTlsLevel, requireTlsLevelFor } from './require-tls.ts';
import type { ServerTables } from './server-tables.ts';
import type { SmtpSettings } from './settings.ts';
import type { TlsLevel } from './starttls.ts';

export interface TlsRules {
  readonly level: TlsLevel;
  /** What REQUIRETLS asks for; `disable` also for mail without it. */
  readonly requireTls: RequireTlsLevel;
}

export type TlsPolicy<T = TlsRules> =
  | ({ readonly kind: 'rules' } & T)
  /** Mail waits: what is asked for can't be kept, or is not known. Never less TLS than asked for. */
  | { readonly kind: 'refused'; readonly status: Status; readonly warning: string };

type Target = Exclude<Destination, { readonly kind: 'invalid' }>;
type LevelPolicy = TlsPolicy<Pick<TlsRules, 'level'>>;

/** What holds for a message. REQUIRETLS takes precedence over `TLS-Required: no`. */
export async function tlsRulesFor(
  settings: SmtpSettings,
  tables: Pick<ServerTables, 'tlsPolicies' | 'requireTls'>,
  destination: Target,
  envelope: Pick<Envelope, 'requireTls' | 'tlsNotRequired'>,
): Promise<TlsPolicy> {
  const isRequired = settings.requireTls && envelope.requireTls;
  if (!isRequired && settings.tlsRequiredField && envelope.tlsNotRequired === true) {
    return { kind: 'rules', level: settings.tls.level === 'none' ? 'none' : 'may', requireTls: 'disable' };
  }
  const policy = await tlsPolicyFor(settings, tables.tlsPolicies, destination);
  if (policy.kind === 'refused') return policy;
  if (!isRequired) return { ...policy, requireTls: 'disable' };
  const found = await requireTlsLevelFor(tables.requireTls, destination);
  if ('warning' in found) return { kind: 'refused', status: policyTrouble, warning: found.warning };
  return { ...policy, requireTls: found.level };
}

/** Looks the destination up: as written, then for a bare domain its parents as `.parent`. */
async function tlsPolicyFor(settings: SmtpSettings, policies: TableList, destination: Target): Promise<LevelPolicy> {
  for (const key of policyKeys(policies, destination)) {
    const found = await policies.lookup(key);
    if (found.kind === 'failed') {
      const where = `${settings.parameter('tls_policy_maps')}, next-hop destination "${destination.text}"`;
      return { kind: 'refused', status: policyTrouble, warning: `${where}: policy table lookup error` };
    }
    if (found.kind === 'found') return parsePolicy(settings, found.value);
  }
  return levelPolicy(settings.parameter('tls_security_level'), settings.tls.level);
}

function policyKeys(policies: TableList, destination: Target): string[] {
  if (policies.isEmpty) return [];
  const keys = [destination.text];
  if (destination.kind === 'unix' || destination.literal || destination.text.includes(':')) return keys;
  const { domain } = destination;
  for (let dot = domain.indexOf('.'); dot >= 0; dot = domain.indexOf('.', dot + 1)) keys.push(domain.slice(dot));
  return keys;
}

/** `LEVEL name=value …`. */
function parsePolicy(settings: SmtpSettings, text: string): LevelPolicy {
  const [level = '', ...attributes] = text.split(/[\s,]+/).filter((word) => word !== '');
  const where = settings.parameter('tls_policy_maps');
  const [attribute] = attributes;
  // of the levels that can be kept, only encrypt would heed an attribute
  if (attribute !== undefined && level.toLowerCase() === 'encrypt') return unsupported(where, attribute);
  return levelPolicy(where, level);
}

function levelPolicy(where: string, text: string): LevelPolicy {
  const level = text.toLowerCase();
  if (level === 'none' || level === 'may' || level === 'encrypt') return { kind: 'rules', level };
  return unsupported(where, text);
}

function unsupported(where: string, what: string): Extract<LevelPolicy, { readonly kind: 'refused' }> {
  return {
    kind: 'refused',
    status: policyTrouble,
    warning: `${where}: "${what}" is not supported by this version`,
  };
}
