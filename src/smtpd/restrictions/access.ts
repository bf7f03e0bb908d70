/** access(5) tables: which keys, in which order, and what an action does. */
import { parseIp, splitAddress, splitExtension, toExternal } from '#address';
import { type MaybePromise, whenReady } from '#message';
import type { LookupResult, Table } from '#tables';
import {
  type Constructor,
  type Decision,
  dunno,
  type Evaluation,
  permit,
  type Subject,
  type Toolbox,
} from './restriction.ts';
import { resolveAddress } from './routing.ts';
import { codeFor } from './subjects.ts';

interface Key {
  readonly key: string;
  readonly partial: boolean;
}

function domainKeys(domain: string, matchesParents: boolean): readonly Key[] {
  const keys: Key[] = [{ key: domain, partial: false }];
  if (parseIp(domain) !== undefined || domain.startsWith('[')) return keys;
  for (let dot = domain.indexOf('.'); dot >= 0; dot = domain.indexOf('.', dot + 1)) {
    keys.push({ key: domain.slice(matchesParents ? dot + 1 : dot), partial: true });
  }
  return keys;
}

function addressKeys(address: string): readonly Key[] {
  const separator = address.includes(':') ? ':' : '.';
  const keys: Key[] = [{ key: address, partial: false }];
  for (let rest = address, at = rest.lastIndexOf(separator); at > 0; at = rest.lastIndexOf(separator)) {
    rest = rest.slice(0, at);
    keys.push({ key: rest, partial: true });
  }
  return keys;
}

function mailKeys(address: string, toolbox: Toolbox, matchesParents: boolean): readonly Key[] {
  const { settings } = toolbox;
  if (address === '') return [{ key: settings.string('smtpd_null_access_lookup_key'), partial: false }];
  const { localPart, domain } = splitAddress(address);
  const { user, delimiter } = splitExtension(localPart, settings.string('recipient_delimiter'), {
    ownerRequestSpecial: settings.bool('owner_request_special'),
    doubleBounceName: settings.string('double_bounce_sender'),
  });
  const keys: Key[] = [{ key: toExternal(address), partial: false }];
  const add = (key: string): void => void keys.push({ key, partial: true });
  if (delimiter !== '' && domain !== '') add(toExternal(`${user}@${domain}`));
  if (domain !== '') keys.push(...domainKeys(domain, matchesParents).map(({ key }) => ({ key, partial: true })));
  add(`${toExternal(localPart)}@`);
  if (delimiter !== '') add(`${toExternal(user)}@`);
  return keys;
}

/** First key the table answers. */
function search(table: Table, keys: readonly Key[], from = 0): MaybePromise<LookupResult & { readonly key?: string }> {
  for (let i = from; i < keys.length; i += 1) {
    const entry = keys[i];
    if (entry === undefined || (entry.partial && !table.acceptsPartialKeys)) continue;
    const answer = table.lookup(entry.key);
    if (answer instanceof Promise) {
      return answer.then((result) =>
        result.kind === 'missing' ? search(table, keys, i + 1) : { ...result, key: entry.key },
      );
    }
    if (answer.kind !== 'missing') return { ...answer, key: entry.key };
  }
  return { kind: 'missing' };
}

/** An OK as smtpd_log_access_permit_actions tells of it. */
function okFrom(place: string): Decision {
  return { kind: 'permit', as: { action: 'OK', place: `from ${place}` } };
}

/** What an OK is worth for a recipient that carries a route of its own: nothing. allow_untrusted_routing */
function unlessRouted({ facts }: Evaluation, { settings, rewriter }: Toolbox, place: string): MaybePromise<Decision> {
  if (settings.bool('allow_untrusted_routing')) return okFrom(place);
  return whenReady(resolveAddress(rewriter, facts.recipient ?? '', facts.sender), (route): Decision =>
    route.kind === 'resolved' && route.routed ? dunno : okFrom(place),
  );
}

/** A check_*_access restriction over keys that a session gives. */
function accessCheck(
  keysOf: (evaluation: Evaluation, toolbox: Toolbox, matchesParents: boolean) => readonly Key[] | undefined,
): Constructor {
  return (toolbox, argument) => {
    const { settings, tables } = toolbox;
    const table = tables.open(argument);
    const matchesParents = settings.list('parent_domain_matches_subdomains').includes('smtpd_access_maps');
    return (evaluation) => {
      const keys = keysOf(evaluation, toolbox, matchesParents);
      if (keys === undefined) return dunno;
      return whenReady(search(table, keys), (result): MaybePromise<Decision> => {
        if (result.kind === 'missing') return dunno;
        if (result.kind === 'failed') {
          evaluation.warn(`${table.name}: ${result.reason}`);
          return {
            kind: 'reject',
            code: 451,
            dsn: '4.3.0',
            text: `<${evaluation.subject.datum}>: Temporary lookup failure`,
          };
        }
        return whenReady(
          applyAction(result.value, evaluation, toolbox, table.name),
          (decision): MaybePromise<Decision> =>
            decision.kind === 'permit' && evaluation.subject.replyClass === 'Recipient address'
              ? unlessRouted(evaluation, toolbox, table.name)
              : decision.kind === 'permit'
                ? okFrom(table.name)
                : decision,
        );
      });
    };
  };
}

/** What an access(5) result does. */
export function applyAction(
  value: string,
  evaluation: Evaluation,
  toolbox: Toolbox,
  place: string,
): MaybePromise<Decision> {
  const [, word = '', rest = ''] = /^(\S*)\s*([^]*)$/.exec(value.trim()) ?? [];
  const { subject } = evaluation;
  const deferCode = toolbox.settings.int('access_map_defer_code');
  const upper = word.toUpperCase();
  switch (upper) {
    case '':
    case 'OK':
    case 'RELAY':
      return permit;
    case 'DUNNO':
      return dunno;
    case 'REJECT':
      return {
        kind: 'reject',
        ...dsnAndText(subject, toolbox.settings.int('access_map_reject_code'), '5.7.1', rest, 'Access denied'),
      };
    case 'DEFER':
      return {
        kind: 'reject',
        ...dsnAndText(subject, deferCode, '4.7.1', rest, 'Access denied'),
      };
    case 'DEFER_IF_PERMIT':
      return { kind: 'deferIfPermit', ...dsnAndText(subject, deferCode, '4.7.1', rest, 'Service unavailable') };
    case 'DEFER_IF_REJECT':
      return { kind: 'deferIfReject', ...dsnAndText(subject, deferCode, '4.7.1', rest, 'Service unavailable') };
    case 'HANGUP':
      return { kind: 'reject', code: 521, dsn: '5.7.1', text: 'Goodbye', hangsUp: true };
    case 'INFO':
    case 'WARN':
      evaluation.log(upper === 'INFO' ? 'info' : 'warn', rest);
      return dunno;
    case 'HOLD':
    case 'DISCARD':
    case 'FILTER':
    case 'REDIRECT':
    case 'BCC':
    case 'PREPEND':
      return messageAction(upper, rest, evaluation, place);
    default:
      break;
  }
  if (/^[45]\d\d$/.test(word)) {
    const code = Number(word);
    const parsed = dsnAndText(subject, code, `${word.charAt(0)}.7.1`, rest, 'Access denied');
    return { kind: 'reject', ...parsed, hangsUp: code === 421 || code === 521 };
  }
  if (/^\d+$/.test(word)) return permit;
  return {
    kind: 'list',
    subject,
    restrictions: toolbox.parse(
      value
        .trim()
        .split(/[\s,]+/)
        .map((text) => ({ text })),
      place,
    ),
  };
}

/** An enhanced code in front of a text, made to agree with the reply code. */
function dsnAndText(
  subject: Subject,
  code: number,
  dsn: string,
  text: string,
  standard: string,
): { readonly code: number; readonly dsn: string; readonly text: string } {
  const match = /^([245]\.\d{1,3}\.\d{1,3})(?:\s+([^]*))?$/.exec(text.trim());
  const given = match?.[1] ?? dsn;
  const words = match === null ? text.trim() : (match[2] ?? '');
  return {
    code,
    dsn: codeFor(`${Math.floor(code / 100)}${given.slice(1)}`, subject),
    text: `<${subject.datum}>: ${subject.replyClass} rejected: ${words === '' ? standard : words}`,
  };
}

function messageAction(word: string, rest: string, evaluation: Evaluation, place: string): Decision {
  if (evaluation.stage === 'connect' || evaluation.stage === 'helo') {
    evaluation.warn(
      `access table ${place}: with smtpd_delay_reject=no, action ${word} is always skipped in Client host or Helo command restrictions`,
    );
    return dunno;
  }
  const { subject } = evaluation;
  const describe = (text: string): string => `<${subject.datum}>: ${subject.replyClass} ${text}`;
  switch (word) {
    case 'HOLD':
      evaluation.act({ kind: 'hold' });
      evaluation.log('hold', describe(rest === '' ? 'triggers HOLD action' : rest));
      return dunno;
    case 'DISCARD':
      evaluation.act({ kind: 'discard' });
      evaluation.log('discard', describe(rest === '' ? 'triggers DISCARD action' : rest));
      return permit;
    case 'FILTER':
      if (!rest.includes(':')) {
        evaluation.warn(`access table ${place} entry "${subject.datum}" requires transport:destination`);
        return dunno;
      }
      evaluation.act({ kind: 'filter', destination: rest });
      evaluation.log('filter', describe(`triggers FILTER ${rest}`));
      return dunno;
    case 'REDIRECT':
    case 'BCC':
      if (!rest.includes('@')) {
        evaluation.warn(`access table ${place} entry "${subject.datum}" requires user@domain target`);
        return dunno;
      }
      evaluation.act({ kind: word === 'BCC' ? 'bcc' : 'redirect', address: rest });
      evaluation.log(word === 'BCC' ? 'bcc' : 'redirect', describe(`triggers ${word} ${rest}`));
      return dunno;
    default:
      if (!/^[!-9;-~]+:/.test(rest)) {
        evaluation.warn(`access table ${place} entry "${subject.datum}" requires header: text`);
        return dunno;
      }
      evaluation.act({ kind: 'prepend', header: rest });
      return dunno;
  }
}

const names = (name: string | undefined, matchesParents: boolean): readonly Key[] | undefined =>
  name === undefined || name === '' ? undefined : domainKeys(name, matchesParents);

export const access: Readonly<Record<string, Constructor>> = {
  check_client_access: accessCheck(({ facts }, _, parents) => [
    ...domainKeys(facts.client.name, parents),
    ...addressKeys(facts.client.address),
  ]),
  check_reverse_client_hostname_access: accessCheck(({ facts }, _, parents) => [
    ...domainKeys(facts.client.reverseName, parents),
    ...addressKeys(facts.client.address),
  ]),
  check_helo_access: accessCheck(({ facts }, _, parents) => names(facts.helo, parents)),
  check_sender_access: accessCheck(({ facts }, toolbox, parents) =>
    facts.sender === undefined ? undefined : mailKeys(facts.sender, toolbox, parents),
  ),
  check_recipient_access: accessCheck(({ facts }, toolbox, parents) =>
    facts.recipient === undefined ? undefined : mailKeys(facts.recipient, toolbox, parents),
  ),
  check_etrn_access: accessCheck(({ facts }, _, parents) => names(facts.recipient, parents)),
  check_sasl_access: accessCheck(({ facts }) =>
    facts.saslUsername === '' ? undefined : [{ key: facts.saslUsername, partial: false }],
  ),
};
