/** permit_mx_backup: mail for domains whose other mail exchanger we are. postconf(5) */
import { domainToAscii, splitAddress } from '#address';
import { familiesOf } from '#config';
import { dnsErrorText, type DnsRecord } from '#dns';
import type { MatchList } from '#tables';
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

type Exchanger = DnsRecord & { readonly type: 'MX' };

interface Search {
  readonly toolbox: Toolbox;
  /** What was unsure: the answer might have been another, so that a refusal is put off. The first is told. */
  readonly troubles: string[];
}

/** Whether we are one of these hosts, by name or by address. */
async function areWe(hosts: readonly string[], { toolbox, troubles }: Search): Promise<boolean> {
  const { rewriter, hostLookup, isLocalDomain } = toolbox;
  for (const host of hosts) if ((await isLocalDomain(host)) === 'yes') return true;
  for (const host of hosts) {
    const found = await hostLookup.addresses(host);
    if (found.kind !== 'ok') troubles.push(`Unable to look up mail exchanger host ${host}: ${found.reason}`);
    else if (found.addresses.some((address) => rewriter.ownAddresses.has(address))) return true;
  }
  return false;
}

/** Whether all addresses of a host are in permit_mx_backup_networks. */
async function isListed(host: string, networks: MatchList, { toolbox, troubles }: Search): Promise<boolean> {
  const types = familiesOf(toolbox.settings).map((family) => (family === 'ipv4' ? 'A' : 'AAAA'));
  const answers = await Promise.all(types.map((type) => toolbox.resolver.lookup(host, type)));
  const addresses = answers.flatMap((answer) =>
    answer.kind === 'ok' ? answer.records.flatMap((record) => ('address' in record ? [record.address] : [])) : [],
  );
  if (addresses.length === 0) {
    const failed = answers.find(({ kind }) => kind === 'tryAgain') ?? answers.at(-1);
    const why = failed === undefined || failed.kind === 'ok' ? 'noData' : failed.kind;
    const reason = why === 'filtered' ? 'DNS reply filter policy' : dnsErrorText(why);
    troubles.push(`Unable to look up host ${host} as mail exchanger: ${reason}`);
    return false;
  }
  for (const address of addresses) {
    const answer = await networks.matches(host, address);
    if (typeof answer === 'object') troubles.push(`Unable to verify host ${host} as mail exchanger`);
    if (answer !== 'yes') return false;
  }
  return true;
}

async function areAllListed(hosts: readonly string[], networks: MatchList, search: Search): Promise<boolean> {
  for (const host of hosts) if (!(await isListed(host, networks, search))) return false;
  return true;
}

async function exchangersOf(domain: string, { toolbox, troubles }: Search): Promise<readonly Exchanger[]> {
  const answer = await toolbox.resolver.lookup(domain, 'MX');
  if (answer.kind === 'ok') return answer.records.flatMap((record) => (record.type === 'MX' ? [record] : []));
  if (answer.kind !== 'tryAgain' && answer.kind !== 'filtered') return [];
  const reason = answer.kind === 'filtered' ? 'DNS reply filter policy' : dnsErrorText(answer.kind);
  troubles.push(`Unable to look up mail exchanger information: ${reason}`);
  return [];
}

async function isBackup(domain: string, networks: MatchList, search: Search): Promise<boolean> {
  const exchangers = await exchangersOf(domain, search);
  const best = Math.min(...exchangers.map(({ preference }) => preference));
  const hosts = (isPrimary: boolean): readonly string[] =>
    exchangers.filter(({ preference }) => (preference === best) === isPrimary).map(({ host }) => host);
  // for a primary, mail for the domain ends here, or should
  if (exchangers.length === 0 || (await areWe(hosts(true), search))) return false;
  if (!(await areWe(hosts(false), search))) return false;
  return networks.isEmpty || areAllListed(hosts(true), networks, search);
}

function putOff({ subject }: Evaluation, text: string): Decision {
  const reply = `<${subject.datum}>: ${subject.replyClass} rejected: ${text}`;
  return { kind: 'deferIfReject', code: 450, dsn: '4.4.4', text: reply };
}

const permitMxBackup: Constructor = (toolbox) => {
  const { settings, tables } = toolbox;
  const parameter = 'permit_mx_backup_networks';
  const networks = tables.matchList(parameter, 'namadr', settings.elements(parameter));
  let hasWarned = false;
  return async (evaluation): Promise<Decision> => {
    const { facts, route, warn } = evaluation;
    const { recipient, sender } = facts;
    if (!hasWarned) {
      warn('support for restriction "permit_mx_backup" will be removed from Postfix; use "relay_domains" instead');
      hasWarned = true;
    }
    if (recipient === undefined) return dunno;
    const authority = await authorityOf(evaluation, toolbox);
    if (authority === 'failed') return lookupFailure(recipient);
    if (authority !== 'other') return authority === 'ours' ? permit : dunno;
    const resolution = await route(recipient, sender);
    const { domain } = splitAddress(resolution.kind === 'resolved' ? resolution.recipient : recipient);
    if (domain.startsWith('[') && domain.endsWith(']')) return dunno;
    const search: Search = { toolbox, troubles: [] };
    if (await isBackup(domainToAscii(domain) ?? domain, networks, search)) return permit;
    const [trouble] = search.troubles;
    return trouble === undefined ? dunno : putOff(evaluation, trouble);
  };
};

export const mxBackup: Readonly<Record<string, Constructor>> = { permit_mx_backup: permitMxBackup };
