/** check_*_{a,mx,ns}_access: a table judges a name by the hosts behind it. postconf(5) check_sender_mx_access */
import { domainToAscii, formatIp, parseAddressLiteral, parseIp, splitAddress } from '#address';
import { dnsErrorText, type DnsAnswer } from '#dns';
import type { SessionFacts } from '../policy.ts';
import { type AccessTable, consult, notAllowed } from './access.ts';
import { addressKeys, domainKeys } from './access-keys.ts';
import { type Constructor, type Decision, dunno, type Evaluation, type Toolbox } from './restriction.ts';

type Kind = 'a' | 'mx' | 'ns';

/** `name`: where the search ended; undefined: at the top. */
type Hosts = readonly string[] | { readonly name: string | undefined; readonly kind: Exclude<DnsAnswer['kind'], 'ok'> };

/** The mail exchangers or name servers of a domain. Where none are named: the domain itself, the parents' servers. */
async function hostsOf(domain: string, kind: Kind, { resolver }: Toolbox): Promise<Hosts> {
  if (kind === 'a') return [domain];
  const type = kind === 'mx' ? 'MX' : 'NS';
  for (let name = domain; ;) {
    const answer = await resolver.lookup(name, type);
    if (answer.kind === 'ok') return answer.records.flatMap((record) => ('host' in record ? [record.host] : []));
    if (answer.kind === 'nullMx') return [];
    // some servers say of a name without such a record that it does not exist
    const isMissing = answer.kind === 'noName' || answer.kind === 'noData';
    if (isMissing && kind === 'mx') return [domain];
    const dot = name.indexOf('.');
    if (!isMissing) return { name, kind: answer.kind };
    if (dot < 0 || dot === name.length - 1) return { name: undefined, kind: answer.kind };
    name = name.slice(dot + 1);
  }
}

/** What the table says of a host by its name, then by its addresses; undefined: nothing. */
async function judgeHost(
  host: string,
  kind: Kind,
  evaluation: Evaluation,
  access: AccessTable,
): Promise<Decision | undefined> {
  const { toolbox } = access;
  if (parseIp(host) !== undefined) return consult(addressKeys(host), evaluation, access);
  if (kind !== 'a') {
    const byName = await consult(domainKeys(host, toolbox.compiled.keyStyle), evaluation, access);
    if (byName !== undefined) return byName;
  }
  const found = await toolbox.hostLookup.addresses(host);
  if (found.kind !== 'ok') {
    const { subject, warn } = evaluation;
    const type = kind.toUpperCase();
    if (kind !== 'a')
      warn(`Unable to look up ${type} host ${host} for ${subject.replyClass} ${subject.datum}: ${found.reason}`);
    return undefined;
  }
  for (const address of found.addresses) {
    const byAddress = await consult(addressKeys(address), evaluation, access);
    if (byAddress !== undefined) return byAddress;
  }
  return undefined;
}

async function judge(name: string, kind: Kind, evaluation: Evaluation, access: AccessTable): Promise<Decision> {
  const domain = name.includes('@') ? splitAddress(name).domain : name;
  if (domain.startsWith('[')) {
    const address = kind === 'ns' ? undefined : parseAddressLiteral(domain);
    if (address === undefined) return dunno;
    return (await consult(addressKeys(formatIp(address)), evaluation, access)) ?? dunno;
  }
  const hosts = await hostsOf(domainToAscii(domain) ?? domain, kind, access.toolbox);
  if ('kind' in hosts) {
    const reason = hosts.kind === 'filtered' ? 'DNS reply filter policy' : dnsErrorText(hosts.kind);
    evaluation.warn(`Unable to look up ${kind.toUpperCase()} host for ${hosts.name ?? name}: ${reason}`);
    return dunno;
  }
  for (const host of hosts) {
    const decision = await judgeHost(host, kind, evaluation, access);
    if (decision !== undefined) return decision;
  }
  return dunno;
}

/** Undefined: there is no such name in this session. */
type NameOf = (facts: SessionFacts) => string | undefined;

const known = (name: string | undefined): string | undefined =>
  name === '' || name?.toLowerCase() === 'unknown' ? undefined : name;

const given = (address: string | undefined): string | undefined => (address === '' ? undefined : address);

const names: readonly (readonly [prefix: string, nameOf: NameOf])[] = [
  ['check_client', ({ client }) => known(client.name)],
  ['check_reverse_client_hostname', ({ client }) => known(client.reverseName)],
  ['check_helo', ({ helo }) => helo],
  ['check_sender', ({ sender }) => given(sender)],
  ['check_recipient', ({ recipient }) => given(recipient)],
];

function serverCheck(restriction: string, kind: Kind, nameOf: NameOf): Constructor {
  return (toolbox, argument, program) => {
    const table = toolbox.tables.open(argument);
    return (evaluation) => {
      const name = nameOf(evaluation.facts);
      if (name === undefined) return dunno;
      const source = { program, permitted: notAllowed(restriction, name) };
      return judge(name, kind, evaluation, { table, toolbox, source });
    };
  };
}

export const serverAccess: Readonly<Record<string, Constructor>> = Object.fromEntries(
  names.flatMap(([prefix, nameOf]) =>
    (['a', 'mx', 'ns'] as const).map((kind) => {
      const restriction = `${prefix}_${kind}_access`;
      return [restriction, serverCheck(restriction, kind, nameOf)] as const;
    }),
  ),
);
