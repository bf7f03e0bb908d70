/** Lists of clients and domains in DNS, of good and bad ones. postconf(5) reject_rbl_client and its kin; rbl_reply_maps */
import { domainToAscii, isValidHostName, splitAddress } from '#address';
import { type AnswerFilter, answerCounts, type DnsAnswer, dnsErrorText, readAnswerFilter, reversedAddress } from '#dns';
import type { SessionFacts } from '../policy.ts';
import { type Listed, refuseListed } from './dns-list-reply.ts';
import { authorityOf } from './relay.ts';
import {
  type Constructor,
  type Decision,
  dunno,
  type Evaluation,
  lookupFailure,
  permit,
  type Toolbox,
} from './restriction.ts';

/** The domain of a name or mail address as lists know it. Some lists refuse whatever ends in a number. */
function nameQuery(name: string): string | undefined {
  const domain = name.includes('@') ? splitAddress(name).domain : name;
  if (domain === 'unknown' || /(?:^|\.)\d+$/.test(domain)) return undefined;
  const ascii = domainToAscii(domain);
  return ascii !== undefined && isValidHostName(ascii) ? ascii : undefined;
}

/** `query`: in front of the list's domain; undefined when there is nothing to look up. */
type Source = (facts: SessionFacts) => Listed & { readonly query: string | undefined };

const sources = {
  client: ({ client }) => ({ query: reversedAddress(client.address), what: client.address, replyClass: 'Client host' }),
  clientName: ({ client }) => ({ query: nameQuery(client.name), what: client.name, replyClass: 'Client host' }),
  reverseName: ({ client }) => ({
    query: nameQuery(client.reverseName),
    what: client.reverseName,
    replyClass: 'Unverified Client host',
  }),
  helo: ({ helo = '' }) => ({ query: nameQuery(helo), what: helo, replyClass: 'Helo command' }),
  sender: ({ sender = '' }) => ({ query: nameQuery(sender), what: sender, replyClass: 'Sender address' }),
  recipient: ({ recipient = '' }) => ({
    query: nameQuery(recipient),
    what: recipient,
    replyClass: 'Recipient address',
  }),
} satisfies Record<string, Source>;

/** Answers that a session has had already; recipients of one message ask the same. */
const maxRemembered = 200;

function lookUp({ facts }: Evaluation, { listResolver }: Toolbox, name: string, type: 'A' | 'TXT'): Promise<DnsAnswer> {
  const known = (facts.memory.lookups ??= new Map());
  const key = `${type} ${name}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  if (known.size >= maxRemembered) known.clear();
  const asked = listResolver.lookup(name, type);
  known.set(key, asked);
  return asked;
}

interface DnsList {
  readonly text: string;
  readonly domain: string;
  readonly filter: AnswerFilter | undefined;
  /** What is wrong with the filter. */
  readonly problem: string | undefined;
}

function parseList(text: string): DnsList {
  const at = text.indexOf('=');
  if (at < 0) return { text, domain: text, filter: undefined, problem: undefined };
  const filter = readAnswerFilter(text.slice(at + 1));
  const list = { text, domain: text.slice(0, at) };
  return 'problem' in filter
    ? { ...list, filter: undefined, problem: filter.problem }
    : { ...list, filter, problem: undefined };
}

/** A remembered answer gives no second warning. */
function warnOnce({ facts, warn }: Evaluation, name: string, text: string): void {
  const troubled = (facts.memory.troubled ??= new Set());
  if (!troubled.has(name)) warn(text);
  troubled.add(name);
}

type Finding = 'listed' | 'not listed' | { readonly trouble: string };

async function find(evaluation: Evaluation, toolbox: Toolbox, list: DnsList, query: string): Promise<Finding> {
  const name = `${query}.${list.domain}`;
  const answer = await lookUp(evaluation, toolbox, name, 'A');
  switch (answer.kind) {
    case 'ok':
      return answer.records.some((record) => record.type === 'A' && answerCounts(list.filter, record.address))
        ? 'listed'
        : 'not listed';
    case 'noName':
    case 'noData':
      return 'not listed';
    case 'tryAgain':
    case 'failed':
    case 'invalid':
    case 'nullMx':
    case 'filtered':
      warnOnce(evaluation, name, `${name}: RBL lookup error: ${answer.reason}`);
      return { trouble: answer.reason };
  }
}

/** Longest reason, of all text records together. */
const maxReason = 500;

async function reasonOf(evaluation: Evaluation, toolbox: Toolbox, name: string): Promise<string> {
  const answer = await lookUp(evaluation, toolbox, name, 'TXT');
  if (answer.kind === 'filtered') evaluation.warn(`${name}: TXT lookup error: ${dnsErrorText('filtered')}`);
  if (answer.kind !== 'ok') return '';
  const texts = answer.records.flatMap((record) => (record.type === 'TXT' ? [record.text] : []));
  return texts.join(' / ').slice(0, maxReason);
}

/** Lists of the good must not let through what is for anywhere. */
async function mayPermit(evaluation: Evaluation, toolbox: Toolbox): Promise<boolean | Decision> {
  const { facts, stage } = evaluation;
  if (stage !== 'rcpt' || facts.recipient === undefined) return true;
  const authority = await authorityOf(evaluation, toolbox);
  return authority === 'failed' ? lookupFailure(facts.recipient) : authority === 'ours';
}

function listCheck(source: Source, permits: boolean): Constructor {
  return (toolbox, argument) => {
    const list = parseList(argument);
    return async (evaluation): Promise<Decision> => {
      const listed = source(evaluation.facts);
      if (listed.query === undefined) return dunno;
      const allowed = permits ? await mayPermit(evaluation, toolbox) : true;
      if (typeof allowed === 'object') return allowed;
      if (!allowed) return dunno;
      const finding = await find(evaluation, toolbox, list, listed.query);
      if (list.problem !== undefined) return { kind: 'abandon', fatal: `RBL reply error: ${list.problem}` };
      if (finding === 'not listed') return dunno;
      if (finding === 'listed')
        return permits
          ? permit
          : refuseListed(evaluation, toolbox, {
              list,
              listed,
              reason: await reasonOf(evaluation, toolbox, `${listed.query}.${list.domain}`),
            });
      const text = `<${listed.what}>: ${listed.replyClass} rejected: Service unavailable`;
      return permits ? { kind: 'deferIfReject', code: 450, dsn: '4.7.1', text } : dunno;
    };
  };
}

const checks: Readonly<Record<string, readonly [Source, boolean]>> = {
  reject_rbl_client: [sources.client, false],
  reject_rhsbl_client: [sources.clientName, false],
  reject_rhsbl_reverse_client: [sources.reverseName, false],
  reject_rhsbl_helo: [sources.helo, false],
  reject_rhsbl_sender: [sources.sender, false],
  reject_rhsbl_recipient: [sources.recipient, false],
  permit_dnswl_client: [sources.client, true],
  permit_rhswl_client: [sources.clientName, true],
};

export const dnsLists: Readonly<Record<string, Constructor>> = Object.fromEntries(
  Object.entries(checks).map(([name, [source, permits]]) => [name, listCheck(source, permits)]),
);

/** Sends the questions of all lists among these restrictions at once; they take effect in their order all the same. */
export function askAhead(
  restrictions: readonly { readonly name: string; readonly argument: string }[],
  evaluation: Evaluation,
  toolbox: Toolbox,
): void {
  for (const { name, argument } of restrictions) {
    const [source] = checks[name] ?? [];
    const query = source?.(evaluation.facts).query;
    const { domain } = parseList(argument);
    if (query !== undefined && domain !== '') void lookUp(evaluation, toolbox, `${query}.${domain}`, 'A');
  }
}

export const isDnsList = (name: string): boolean => Object.hasOwn(checks, name);
