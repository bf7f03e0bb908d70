/** Reads restriction lists into programs: names, arguments, places. Old names are read as their successors. */
import type { ListElement } from '#config';
import { access } from './access.ts';
import { client } from './client.ts';
import { control } from './control.ts';
import { dnsLists } from './dns-lists.ts';
import { mxBackup } from './mx-backup.ts';
import { names } from './names.ts';
import { policyService } from './policy-service.ts';
import { relay } from './relay.ts';
import { senderLogin } from './sender-login.ts';
import { subjectMaker } from './subjects.ts';
import { type Constructor, configurationError, type Restriction, type Toolbox } from './restriction.ts';
import { unlistedChecks } from './unlisted.ts';
import { unverifiedChecks } from './unverified.ts';

const constructors: ReadonlyMap<string, Constructor> = new Map(
  [
    control,
    client,
    names,
    relay,
    access,
    unlistedChecks,
    unverifiedChecks,
    policyService,
    dnsLists,
    mxBackup,
    senderLogin,
  ].flatMap((group) => Object.entries(group)),
);

const synonyms: Readonly<Record<string, string>> = {
  reject_unknown_client: 'reject_unknown_client_hostname',
  reject_invalid_hostname: 'reject_invalid_helo_hostname',
  reject_unknown_hostname: 'reject_unknown_helo_hostname',
  reject_non_fqdn_hostname: 'reject_non_fqdn_helo_hostname',
  reject_unknown_address: 'reject_unknown_sender_domain',
  check_recipient_maps: 'reject_unlisted_recipient',
  reject_rbl: 'reject_rbl_client',
};

/** Names that Postfix has dropped, with what does their work now. */
const removedNames: Readonly<Record<string, string>> = {
  reject_maps_rbl: 'reject_rbl_client domain-name',
  check_relay_domains: 'permit_mynetworks, reject_unauth_destination',
  permit_naked_ip_address: 'permit_mynetworks or permit_sasl_authenticated',
};

const tableChecks = [
  'check_client_access',
  'check_reverse_client_hostname_access',
  'check_helo_access',
  'check_sender_access',
  'check_recipient_access',
  'check_etrn_access',
];

const takesArgument = new Set([...Object.keys(access), ...Object.keys(dnsLists), 'check_policy_service', 'sleep']);
const maxDepth = 100;

export interface ProgramOptions {
  /** What a bare `type:table` means in this list; '' where it means nothing. */
  readonly bareTable: string;
  readonly warn: (text: string) => void;
}

/** Parses a list. Unknown names become restrictions that refuse with 451 4.3.5 and a warning, as in Postfix. */
export function parseRestrictions(
  elements: readonly ListElement[],
  toolbox: Toolbox,
  options: ProgramOptions,
  depth = 0,
): readonly Restriction[] {
  const out: Restriction[] = [];
  let warnOnly = false;
  for (let i = 0; i < elements.length; i += 1) {
    const element = elements[i];
    if (element === undefined) break;
    const text = element.text;
    const name = synonyms[text.toLowerCase()] ?? text.toLowerCase();
    if (name === 'warn_if_reject') {
      warnOnly = true;
      continue;
    }
    let argument = '';
    if (takesArgument.has(name)) {
      i += 1;
      argument = elements[i]?.text ?? '';
    }
    if (name === 'permit') {
      const next = elements[i + 1]?.text;
      if (next !== undefined) options.warn(`restriction \`${next}' after \`permit' is ignored`);
    }
    out.push({
      name,
      argument,
      origin: element.origin,
      warnOnly,
      evaluate: evaluatorOf(name, text, argument, toolbox, options, depth),
    });
    warnOnly = false;
  }
  return out;
}

function evaluatorOf(
  name: string,
  text: string,
  argument: string,
  toolbox: Toolbox,
  options: ProgramOptions,
  depth: number,
): Restriction['evaluate'] {
  const construct = constructors.get(name);
  if (construct !== undefined) return about(name, construct(toolbox, argument));
  const isTable = text.includes(':') && !text.startsWith('{');
  if (isTable && options.bareTable !== '')
    return about(options.bareTable, constructors.get(options.bareTable)?.(toolbox, text) ?? (() => configurationError));
  if (toolbox.settings.list('smtpd_restriction_classes').includes(text))
    return restrictionClass(text, toolbox, options, depth);
  return ({ subject, warn }) => {
    const removed = removedNames[name];
    warn(
      isTable
        ? `specify one of (${tableChecks.join(', ')}) before ${subject.replyClass} restriction "${text}"`
        : removed === undefined
          ? `unknown smtpd restriction: "${text}"`
          : `support for restriction "${name}" has been removed in Postfix 3.9; instead, specify "${removed}"`,
    );
    return configurationError;
  };
}

/** A restriction that speaks about its own subject wherever it stands. */
function about(name: string, evaluate: Restriction['evaluate']): Restriction['evaluate'] {
  const maker = subjectMaker(name);
  return maker === undefined ? evaluate : (evaluation) => evaluate({ ...evaluation, subject: maker(evaluation.facts) });
}

/** A class of restrictions: a main.cf parameter of that name. RESTRICTION_CLASS_README */
function restrictionClass(
  name: string,
  toolbox: Toolbox,
  options: ProgramOptions,
  depth: number,
): Restriction['evaluate'] {
  let parsed: readonly Restriction[] | undefined;
  return ({ warn }) => {
    if (depth >= maxDepth) {
      warn(`restriction class ${name}: recursion`);
      return configurationError;
    }
    parsed ??= parseRestrictions(toolbox.settings.elements(name), toolbox, options, depth + 1);
    return { kind: 'list', restrictions: parsed };
  };
}

/** Names that stop relaying; one of them must be reachable in the relay or recipient list. */
const relayGuards = new Set([
  'reject_unauth_destination',
  'defer_unauth_destination',
  'reject',
  'defer',
  'defer_if_permit',
  'check_relay_domains',
]);

/** Why the start must be refused: an open relay; undefined when the lists protect. postconf(5) smtpd_relay_restrictions */
export function relayProblem(
  elementsOf: (name: string) => readonly ListElement[],
  classes: readonly string[],
): string | undefined {
  const protects = (elements: readonly ListElement[], depth: number): boolean => {
    for (let i = 0; i < elements.length; i += 1) {
      const name = (elements[i]?.text ?? '').toLowerCase();
      if (name === 'permit') return false;
      if (name === 'warn_if_reject') {
        i += 1;
        continue;
      }
      if (relayGuards.has(name)) return true;
      if (
        classes.includes(elements[i]?.text ?? '') &&
        depth < maxDepth &&
        protects(elementsOf(elements[i]?.text ?? ''), depth + 1)
      )
        return true;
    }
    return false;
  };
  if (protects(elementsOf('smtpd_relay_restrictions'), 0) || protects(elementsOf('smtpd_recipient_restrictions'), 0))
    return undefined;
  return `in parameter smtpd_relay_restrictions or smtpd_recipient_restrictions, specify at least one working instance of: ${[...relayGuards].join(', ')}`;
}
