/** check_*_access: a table says what is done with a client, a name or an address. postconf(5), access(5) */
import { type MaybePromise, whenReady } from '#message';
import { type Table, warnOfEmpty } from '#tables';
import { applyAction, type Source } from './access-actions.ts';
import { addressKeys, domainKeys, type Keys, mailKeys, remembered, search } from './access-keys.ts';
import {
  configurationError,
  type Constructor,
  type Decision,
  dunno,
  type Evaluation,
  lookupFailure,
  type Permitted,
  type Toolbox,
} from './restriction.ts';
import type { KeyStyle } from './settings.ts';

/** A table in use, with what is done with its results. */
export interface AccessTable {
  readonly table: Table;
  readonly toolbox: Toolbox;
  readonly source: Omit<Source, 'place' | 'datum'>;
}

/** What the table says of one thing; undefined: nothing. */
export function consult(
  keys: Keys,
  evaluation: Evaluation,
  { table, toolbox, source }: AccessTable,
): MaybePromise<Decision | undefined> {
  const from: Source = { ...source, place: table.name, datum: keys.datum };
  return whenReady(search(table, keys), (answer): Decision | undefined => {
    if (answer.kind === 'missing') return undefined;
    if (answer.kind === 'found' && answer.value !== '') return applyAction(answer.value, evaluation, toolbox, from);
    if (answer.kind === 'failed') evaluation.warn(`${table.name} lookup error for "${answer.key}"`);
    else warnOfEmpty(table.name, answer.key, evaluation.warn);
    return applyAction('451 4.3.5 Server configuration error', evaluation, toolbox, from);
  });
}

/** The first of several things that the table knows. */
function consultEach(
  things: readonly Keys[],
  evaluation: Evaluation,
  access: AccessTable,
  from = 0,
): MaybePromise<Decision> {
  const first = things[from];
  if (first === undefined) return dunno;
  return whenReady(
    consult(first, evaluation, access),
    (decision): MaybePromise<Decision> => decision ?? consultEach(things, evaluation, access, from + 1),
  );
}

type ThingsOf = (evaluation: Evaluation, style: KeyStyle) => readonly Keys[];

function nameCheck(thingsOf: ThingsOf, permitted?: (evaluation: Evaluation) => Permitted): Constructor {
  return (toolbox, argument, program) => {
    const table = toolbox.tables.open(argument);
    const style = toolbox.compiled.keyStyle;
    return (evaluation) =>
      consultEach(thingsOf(evaluation, style), evaluation, {
        table,
        toolbox,
        source: { program, ...(permitted === undefined ? {} : { permitted: permitted(evaluation) }) },
      });
  };
}

/** Where permitting would be dangerous, because anybody can make DNS say it. */
export function notAllowed(restriction: string, target: string): Permitted {
  return (warn) => {
    warn(`restriction ${restriction} returns OK for ${target}`);
    warn('this is not allowed for security reasons');
    warn('use DUNNO instead of OK if you want to make an exception');
    return configurationError;
  };
}

function mailCheck(kind: 'sender' | 'recipient'): Constructor {
  return (toolbox, argument, program) => {
    const { settings, compiled } = toolbox;
    const table = toolbox.tables.open(argument);
    const nullKey = settings.string('smtpd_null_access_lookup_key');
    return (evaluation) => {
      const { facts } = evaluation;
      const [address, other] = kind === 'sender' ? [facts.sender, facts.recipient] : [facts.recipient, facts.sender];
      if (address === undefined) return dunno;
      const access: AccessTable = { table, toolbox, source: { program } };
      if (address === '' && nullKey === '') return dunno;
      if (address === '') return consultEach([{ datum: nullKey, keys: [nullKey] }], evaluation, access);
      return whenReady(evaluation.route(address, other), (route): MaybePromise<Decision> => {
        if (route.kind === 'failed') return lookupFailure(address);
        const final = route.kind === 'resolved' ? route.recipient : address;
        const keys = remembered(evaluation.keys, kind, () => mailKeys(final, compiled));
        // a recipient that carries a route of its own is not let through for its looks
        const isSuspicious =
          kind === 'recipient' && !compiled.allowsUntrustedRouting && route.kind === 'resolved' && route.routed;
        const source = isSuspicious ? { program, permitted: () => dunno } : { program };
        return consultEach([keys], evaluation, { ...access, source });
      });
    };
  };
}

const nothing: readonly Keys[] = [];

/** A name with its parents. */
function named({ keys }: Evaluation, about: string, name: string | undefined, style: KeyStyle): readonly Keys[] {
  return name === undefined || name === '' ? nothing : [remembered(keys, about, () => domainKeys(name, style))];
}

/** A client by name, then by address. */
function clientKeys({ keys, facts }: Evaluation, about: 'name' | 'reverseName', style: KeyStyle): readonly Keys[] {
  const { client } = facts;
  return [
    remembered(keys, about, () => domainKeys(client[about], style)),
    remembered(keys, 'address', () => addressKeys(client.address)),
  ];
}

function ignored(text: string): Constructor {
  return () =>
    ({ warn }) => {
      warn(text);
      return dunno;
    };
}

const loginCheck = nameCheck(({ facts: { saslUsername } }) =>
  saslUsername === '' ? nothing : [{ datum: saslUsername, keys: [saslUsername] }],
);
const withoutLogins = ignored("restriction `check_sasl_access' ignored: no SASL support");

export const access: Readonly<Record<string, Constructor>> = {
  check_client_access: nameCheck((evaluation, style) => clientKeys(evaluation, 'name', style)),
  check_reverse_client_hostname_access: nameCheck(
    (evaluation, style) => clientKeys(evaluation, 'reverseName', style),
    ({ facts: { client } }) => notAllowed('check_reverse_client_hostname_access', client.reverseName),
  ),
  check_helo_access: nameCheck((evaluation, style) => named(evaluation, 'helo', evaluation.facts.helo, style)),
  check_sender_access: mailCheck('sender'),
  check_recipient_access: mailCheck('recipient'),
  check_etrn_access: nameCheck((evaluation, style) => named(evaluation, 'etrn', evaluation.facts.etrnDomain, style)),
  check_sasl_access: (toolbox, argument, program) =>
    (toolbox.settings.bool('smtpd_sasl_auth_enable') ? loginCheck : withoutLogins)(toolbox, argument, program),
};
