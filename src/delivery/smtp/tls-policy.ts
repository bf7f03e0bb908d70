/** Which TLS level holds for a destination: smtp_tls_policy_maps, else smtp_tls_security_level (inventory, f.5; TLS_README). */
import type { Status } from '#message';
import type { TableList } from '#tables';
import type { Destination } from './destination.ts';
import type { SmtpSettings } from './settings.ts';
import type { TlsLevel } from './starttls.ts';

export type TlsPolicy =
  | { readonly kind: 'level'; readonly level: TlsLevel }
  /** Mail waits: what is asked for can't be kept, or is not known. Never less TLS than asked for. */
  | { readonly kind: 'refused'; readonly status: Status; readonly warning: string };

const trouble: Status = { code: '4.7.5', reason: 'client TLS configuration problem' };

/** Looks the destination up: as written, then for a bare domain its parents as `.parent`. */
export async function tlsPolicyFor(
  settings: SmtpSettings,
  policies: TableList,
  destination: Exclude<Destination, { readonly kind: 'invalid' }>,
): Promise<TlsPolicy> {
  for (const key of policyKeys(policies, destination)) {
    const found = await policies.lookup(key);
    if (found.kind === 'failed') {
      const where = `${settings.parameter('tls_policy_maps')}, next-hop destination "${destination.text}"`;
      return { kind: 'refused', status: trouble, warning: `${where}: policy table lookup error` };
    }
    if (found.kind === 'found') return parsePolicy(settings, found.value);
  }
  return levelPolicy(settings.parameter('tls_security_level'), settings.tls.level);
}

function policyKeys(policies: TableList, destination: Exclude<Destination, { readonly kind: 'invalid' }>): string[] {
  if (policies.isEmpty) return [];
  const keys = [destination.text];
  if (destination.kind === 'unix' || destination.literal || destination.text.includes(':')) return keys;
  const { domain } = destination;
  for (let dot = domain.indexOf('.'); dot >= 0; dot = domain.indexOf('.', dot + 1)) keys.push(domain.slice(dot));
  return keys;
}

/** `LEVEL name=value …`. */
function parsePolicy(settings: SmtpSettings, text: string): TlsPolicy {
  const [level = '', ...attributes] = text.split(/[\s,]+/).filter((word) => word !== '');
  const where = settings.parameter('tls_policy_maps');
  const [attribute] = attributes;
  // of the levels that can be kept, only encrypt would heed an attribute
  if (attribute !== undefined && level.toLowerCase() === 'encrypt') return unsupported(where, attribute);
  return levelPolicy(where, level);
}

function levelPolicy(where: string, text: string): TlsPolicy {
  const level = text.toLowerCase();
  if (level === 'none' || level === 'may' || level === 'encrypt') return { kind: 'level', level };
  return unsupported(where, text);
}

function unsupported(where: string, what: string): TlsPolicy {
  return {
    kind: 'refused',
    status: trouble,
    warning: `${where}: "${what}" is not supported by this version`,
  };
}
