/** Settings of a service that no session can be served with. smtpd(8), postconf(5) smtpd_relay_restrictions */
import type { Settings } from '#config';
import { maxDepth } from './restriction.ts';

/** Names that stop relaying; one of them must be reachable in the relay or recipient list. */
const relayGuards = [
  'reject_unauth_destination',
  'defer_unauth_destination',
  'reject',
  'defer',
  'defer_if_permit',
  'check_relay_domains',
];

const tempfailActions = [
  'unknown_helo_hostname_tempfail_action',
  'unknown_address_tempfail_action',
  'unverified_recipient_tempfail_action',
  'unverified_sender_tempfail_action',
] as const;

export interface ServiceProblem {
  /** What is warned of first. */
  readonly warnings: readonly string[];
  readonly fatal: string;
}

interface Search {
  readonly settings: Settings;
  readonly classes: readonly string[];
  readonly warnings: string[];
}

function hasGuard(parameter: string, search: Search, depth = 0): boolean {
  const words = search.settings.elements(parameter).map(({ text }) => text);
  for (let i = 0; i < words.length; i += 1) {
    const word = words[i] ?? '';
    const next = words[i + 1];
    // capitals count in the names of classes alone
    const name = word.toLowerCase();
    if (name === 'warn_if_reject' && next !== undefined) {
      i += 1;
      continue;
    }
    if (name === 'permit') {
      if (next !== undefined) search.warnings.push(`restriction \`${next}' after \`${word}' is ignored`);
      return false;
    }
    if (relayGuards.includes(name)) return true;
    if (search.classes.includes(word) && depth < maxDepth && hasGuard(word, search, depth + 1)) return true;
  }
  return false;
}

/** Why nobody can be served: a class without a definition, an open relay, a word that means nothing; undefined: all is well. */
export function serviceProblem(settings: Settings): ServiceProblem | undefined {
  const classes = settings.list('smtpd_restriction_classes');
  const warnings: string[] = [];
  const problem = (fatal: string): ServiceProblem => ({ warnings, fatal });
  const undefinedClass = classes.find((name) => settings.elements(name).length === 0);
  if (undefinedClass !== undefined) return problem(`restriction class \`${undefinedClass}' needs a definition`);
  const search = { settings, classes, warnings };
  if (!hasGuard('smtpd_recipient_restrictions', search) && !hasGuard('smtpd_relay_restrictions', search)) {
    const names = `${relayGuards.slice(0, -1).join(', ')} or ${relayGuards.at(-1) ?? ''}`;
    return problem(
      `in parameter smtpd_relay_restrictions or smtpd_recipient_restrictions, specify at least one working instance of: ${names}`,
    );
  }
  for (const name of tempfailActions) {
    const action = settings.string(name);
    if (!['defer', 'defer_if_permit'].includes(action.toLowerCase()))
      return problem(`bad configuration: ${name} = ${action}`);
  }
  return undefined;
}
