/** Reads restriction lists into programs: names, arguments, places. Old names are read as their successors. */
import { nearestName, type ListElement } from '#config';
import { access } from './access.ts';
import { certificates } from './certificates.ts';
import { client } from './client.ts';
import { control } from './control.ts';
import { dnsLists } from './dns-lists.ts';
import { mxBackup } from './mx-backup.ts';
import { names } from './names.ts';
import { policyService } from './policy-service.ts';
import { relay } from './relay.ts';
import { senderLogin } from './sender-login.ts';
import { subjectMaker } from './subjects.ts';
import {
  configurationError,
  type Constructor,
  dunno,
  maxClassDepth,
  type ProgramOptions,
  type Restriction,
  type Toolbox,
} from './restriction.ts';
import { serverAccess } from './server-access.ts';
import { unlistedChecks } from './unlisted.ts';
import { unverifiedChecks } from './unverified.ts';

const constructors: ReadonlyMap<string, Constructor> = new Map(
  [
    control,
    client,
    names,
    relay,
    access,
    certificates,
    serverAccess,
    unlistedChecks,
    unverifiedChecks,
    policyService,
    dnsLists,
    mxBackup,
    senderLogin,
  ].flatMap((group) => Object.entries(group)),
);

const synonyms: ReadonlyMap<string, string> = new Map([
  ['reject_unknown_client', 'reject_unknown_client_hostname'],
  ['reject_invalid_hostname', 'reject_invalid_helo_hostname'],
  ['reject_unknown_hostname', 'reject_unknown_helo_hostname'],
  ['reject_non_fqdn_hostname', 'reject_non_fqdn_helo_hostname'],
  ['reject_unknown_address', 'reject_unknown_sender_domain'],
  ['check_recipient_maps', 'reject_unlisted_recipient'],
  ['reject_rbl', 'reject_rbl_client'],
]);

/** Names that Postfix has dropped, with what does their work now. */
const removedNames: ReadonlyMap<string, string> = new Map([
  ['reject_maps_rbl', 'reject_rbl_client domain-name'],
  ['check_relay_domains', 'reject_unauth_destination'],
  ['permit_naked_ip_address', 'permit_mynetworks or permit_sasl_authenticated'],
]);

const tableChecks = [
  'check_client_access',
  'check_reverse_client_hostname_access',
  'check_helo_access',
  'check_sender_access',
  'check_recipient_access',
  'check_etrn_access',
];

const tableChecksOf = new Set([...Object.keys(access), ...Object.keys(serverAccess), 'check_ccert_access']);
const takesArgument = new Set([...tableChecksOf, ...Object.keys(dnsLists), 'check_policy_service', 'sleep']);

/** What a restriction refuses with when it can't be read: 451 4.3.5, after a warning. */
function misconfigured(text: string): Restriction['evaluate'] {
  return ({ warn }) => {
    warn(text);
    return configurationError;
  };
}

/** Parses a list. Unknown names become restrictions that refuse with 451 4.3.5 and a warning, as in Postfix. */
export function parseRestrictions(
  elements: readonly ListElement[],
  toolbox: Toolbox,
  options: ProgramOptions,
): readonly Restriction[] {
  const out: Restriction[] = [];
  let modifier: string | undefined;
  for (let i = 0; i < elements.length; i += 1) {
    const element = elements[i];
    if (element === undefined) break;
    const { text } = element;
    const name = synonyms.get(text.toLowerCase()) ?? text.toLowerCase();
    if (name === 'warn_if_reject') {
      modifier ??= text;
      continue;
    }
    let argument: string | undefined;
    if (takesArgument.has(name)) {
      argument = elements[i + 1]?.text;
      i += 1;
    }
    out.push({
      name,
      written: text,
      firstWord: modifier ?? text,
      argument: argument ?? '',
      origin: element.origin,
      warnOnly: modifier !== undefined,
      evaluate: evaluatorOf(name, text, argument, toolbox, options),
    });
    modifier = undefined;
  }
  return out;
}

/** What is wrong with an argument; undefined when nothing is. */
function argumentProblem(name: string, text: string, argument: string | undefined): string | undefined {
  if (tableChecksOf.has(name) && argument?.includes(':') !== true)
    return `restriction ${name}: bad argument "${argument ?? text}": need maptype:mapname`;
  if (name === 'check_policy_service' && argument?.includes(':') !== true)
    return `restriction ${name} must be followed by transport:server`;
  if (name === 'sleep' && (argument === undefined || !/^\d+$/.test(argument)))
    return `restriction ${name} must be followed by number`;
  return undefined;
}

function evaluatorOf(
  name: string,
  text: string,
  argument: string | undefined,
  toolbox: Toolbox,
  options: ProgramOptions,
): Restriction['evaluate'] {
  const problem = argumentProblem(name, text, argument);
  if (problem !== undefined) return misconfigured(problem);
  const construct = constructors.get(name);
  if (construct !== undefined && Object.hasOwn(dnsLists, name) && argument === undefined) {
    return ({ warn }) => {
      warn(`restriction ${text} requires domain name argument`);
      return dunno;
    };
  }
  if (construct !== undefined) return about(name, construct(toolbox, argument ?? '', options));
  const isTable = text.includes(':') && !text.startsWith('{');
  const bareTable = isTable ? constructors.get(options.bareTable) : undefined;
  if (bareTable !== undefined) return about(options.bareTable, bareTable(toolbox, text, options));
  if (toolbox.settings.list('smtpd_restriction_classes').includes(text))
    return restrictionClass(text, toolbox, options);
  if (isTable) {
    return ({ subject, warn }) => {
      warn(`specify one of (${tableChecks.join(', ')}) before ${subject.replyClass} restriction "${text}"`);
      return configurationError;
    };
  }
  return misconfigured(removedNames.has(name) ? removal(name) : `unknown smtpd restriction: "${text}"`);
}

/** A restriction that speaks about its own subject wherever it stands. */
function about(name: string, evaluate: Restriction['evaluate']): Restriction['evaluate'] {
  const maker = subjectMaker(name);
  return maker === undefined ? evaluate : (evaluation) => evaluate({ ...evaluation, subject: maker(evaluation.facts) });
}

/**
 * A class of restrictions: a main.cf parameter of that name. It is read once, however often results of tables name it:
 * connections to its policy servers are kept for the next one. RESTRICTION_CLASS_README, SMTPD_POLICY_README
 */
function restrictionClass(name: string, toolbox: Toolbox, options: ProgramOptions): Restriction['evaluate'] {
  const { classes } = toolbox;
  const key = `${options.bareTable} ${name}`;
  return ({ depth, warn }) => {
    if (depth > maxClassDepth) {
      warn(`restriction class ${name}: unreasonable recursion`);
      return configurationError;
    }
    const restrictions = classes.get(key) ?? parseRestrictions(toolbox.settings.elements(name), toolbox, options);
    classes.set(key, restrictions);
    return { kind: 'list', restrictions };
  };
}

/** A restriction that can't work, seen without a client. */
export interface FaultyRestriction {
  readonly element: ListElement;
  readonly problem: string;
  /** Passed over; otherwise clients are answered 451 4.3.5. */
  readonly isSkipped: boolean;
}

/** What a list names that there is not, or that lacks its argument: what the log would warn of at the first client. */
export function faultyRestrictions(
  elements: readonly ListElement[],
  classes: readonly string[],
): readonly FaultyRestriction[] {
  const faulty: FaultyRestriction[] = [];
  for (let i = 0; i < elements.length; i += 1) {
    const element = elements[i];
    if (element === undefined) break;
    const name = synonyms.get(element.text.toLowerCase()) ?? element.text.toLowerCase();
    const argument = takesArgument.has(name) ? elements[(i += 1)]?.text : undefined;
    const isSkipped = Object.hasOwn(dnsLists, name);
    const problem =
      isSkipped && argument === undefined
        ? `restriction ${element.text} requires domain name argument`
        : (argumentProblem(name, element.text, argument) ?? nameProblem(name, element.text, classes));
    if (problem !== undefined) faulty.push({ element, problem, isSkipped });
  }
  return faulty;
}

/** What is wrong with a name; a table may stand without one. */
function nameProblem(name: string, text: string, classes: readonly string[]): string | undefined {
  if (removedNames.has(name)) return removal(name);
  if (name === 'warn_if_reject' || constructors.has(name) || classes.includes(text) || text.includes(':'))
    return undefined;
  const nearest = nearestName(name, [...constructors.keys(), 'warn_if_reject', ...classes]);
  return `unknown restriction "${text}"${nearest === undefined ? '' : `; did you mean "${nearest}"?`}`;
}

function removal(name: string): string {
  const successor = removedNames.get(name) ?? '';
  return `support for restriction "${name}" has been removed in Postfix 3.9; instead, specify "${successor}"`;
}
