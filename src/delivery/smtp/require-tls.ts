/**
 * What REQUIRETLS of a message means for a destination: smtp_requiretls_policy, lmtp_requiretls_policy. REQUIRETLS_README
 *
 * The policy is a list, and its first answer holds: a level, or a table that gives one for the next hop.
 */
import { domainToAscii, parseIp } from '#address';
import type { ListElement } from '#config';
import type { Status } from '#message';
import type { Table, TableOpener } from '#tables';
import type { Destination } from './destination.ts';

/** From nothing at all up to a server that is known by its certificate and promises the same. */
export type RequireTlsLevel = 'disable' | 'opportunistic' | 'opportunistic+starttls' | 'enforce';

const levels: readonly RequireTlsLevel[] = ['disable', 'opportunistic', 'opportunistic+starttls', 'enforce'];

export interface RequireTlsPolicy {
  readonly parameter: string;
  readonly elements: readonly (string | Table)[];
}

export function openRequireTlsPolicy(
  parameter: string,
  elements: readonly ListElement[],
  tables: TableOpener,
): RequireTlsPolicy {
  return { parameter, elements: elements.map(({ text }) => (text.includes(':') ? tables.open(text) : text)) };
}

/** Whether mail at this level never leaves in plaintext. */
export function needsTls(level: RequireTlsLevel): boolean {
  return level === 'opportunistic+starttls' || level === 'enforce';
}

/** Mail waits: what the policy asks for is not known. */
export const policyTrouble: Status = { code: '4.7.5', reason: 'client TLS configuration problem' };

/** The level for a destination; a warning when the policy can't tell. Where nothing matches, REQUIRETLS is enforced. */
export async function requireTlsLevelFor(
  { parameter, elements }: RequireTlsPolicy,
  destination: Exclude<Destination, { readonly kind: 'invalid' }>,
): Promise<{ readonly level: RequireTlsLevel } | { readonly warning: string }> {
  const name = destination.kind === 'inet' ? asciiName(destination.domain) : destination.path;
  for (const element of elements) {
    if (typeof element === 'string') return levelOf(element, parameter);
    for (const key of element.acceptsPartialKeys ? withParents(name) : [name]) {
      const found = await element.lookup(key);
      if (found.kind === 'failed') {
        const warning = `${parameter}: ${element.name}: table lookup error -- ignoring the remainder of this policy`;
        return { warning };
      }
      if (found.kind === 'found') return tableLevel(element, found.value);
    }
  }
  return { level: 'enforce' };
}

/** Tables have domains in their A-label form. */
function asciiName(domain: string): string {
  return parseIp(domain) === undefined ? (domainToAscii(domain) ?? domain) : domain;
}

/** The name, then its parents as `.parent`. */
function withParents(name: string): readonly string[] {
  const keys = [name];
  for (let dot = name.indexOf('.', 1); dot > 0; dot = name.indexOf('.', dot + 1)) keys.push(name.slice(dot));
  return keys;
}

function tableLevel({ name }: Table, value: string): ReturnType<typeof levelOf> {
  const first = value.split(/[\s,]+/).find((word) => word !== '') ?? '';
  if (first.includes(':')) {
    const warning = `table ${name}: nested lookup result "${first}" is not allowed -- ignoring remainder of policy`;
    return { warning };
  }
  return levelOf(first, name);
}

function levelOf(word: string, where: string): { readonly level: RequireTlsLevel } | { readonly warning: string } {
  const level = levels.find((one) => one === word.toLowerCase());
  if (level !== undefined) return { level };
  return { warning: `${where}: unknown policy action: '${word}' -- ignoring the remainder of this policy` };
}
