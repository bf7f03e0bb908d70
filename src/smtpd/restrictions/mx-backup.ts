/** permit_mx_backup: mail for domains whose other mail exchanger we are. postconf(5) */
import { splitAddress } from '#address';
import type { DnsRecord } from '#dns';
import type { MatchList } from '#tables';
import { authorityOf } from './relay.ts';
import {
  type Constructor,
  type Decision,
  dunno,
  type Evaluation,
  permit,
  refuse,
  type Toolbox,
} from './restriction.ts';

type Exchanger = DnsRecord & { readonly type: 'MX' };

/** Trouble in DNS puts a refusal off: the answer might have been another. */
function putOff(evaluation: Evaluation, text: string): Decision {
  const refused = refuse(evaluation, 450, '4.4.4', text);
  return refused.kind === 'reject' ? { ...refused, kind: 'deferIfReject' } : refused;
}

type HostAddresses =
  | { readonly kind: 'ok'; readonly addresses: readonly string[] }
  | { readonly kind: 'failed'; readonly host: string; readonly reason: string };

async function addressesOf({ hostLookup }: Toolbox, { host }: Exchanger): Promise<HostAddresses> {
  const found = await hostLookup.addresses(host);
  return found.kind === 'ok' ? found : { kind: 'failed', host, reason: found.reason };
}

const isOurs = (toolbox: Toolbox, addresses: readonly string[]): boolean =>
  addresses.some((address) => toolbox.rewriter.ownAddresses.has(address));

async function areListed(networks: MatchList, addresses: readonly string[]): Promise<boolean> {
  for (const address of addresses) if ((await networks.matches('', address)) !== 'yes') return false;
  return true;
}

async function backupFor(
  evaluation: Evaluation,
  toolbox: Toolbox,
  networks: MatchList,
  exchangers: readonly Exchanger[],
): Promise<Decision> {
  const best = Math.min(...exchangers.map(({ preference }) => preference));
  const found = await Promise.all(exchangers.map(async (each) => ({ each, found: await addressesOf(toolbox, each) })));
  const isListed = found.some(({ found: host }) => host.kind === 'ok' && isOurs(toolbox, host.addresses));
  if (!isListed) return dunno;
  for (const { each, found: host } of found.filter(({ each: { preference } }) => preference === best)) {
    if (host.kind === 'failed') {
      return putOff(evaluation, `Unable to look up mail exchanger host ${each.host}: ${host.reason}`);
    }
    // then mail for the domain ends here, or should
    if (isOurs(toolbox, host.addresses)) return dunno;
    if (!networks.isEmpty && !(await areListed(networks, host.addresses))) return dunno;
  }
  return permit;
}

const permitMxBackup: Constructor = (toolbox) => {
  const { settings, rewriter, resolver, tables } = toolbox;
  const allowRouting = settings.bool('allow_untrusted_routing');
  const parameter = 'permit_mx_backup_networks';
  const networks = tables.matchList(parameter, 'namadr', settings.elements(parameter));
  return async (evaluation): Promise<Decision> => {
    const { recipient = '', sender = '' } = evaluation.facts;
    const authority = await authorityOf(recipient, sender, rewriter, allowRouting);
    if (authority === 'ours') return permit;
    if (authority !== 'other') return dunno;
    const { domain } = splitAddress(recipient);
    const answer = await resolver.lookup(domain, 'MX');
    if (answer.kind === 'tryAgain' || answer.kind === 'failed' || answer.kind === 'invalid') {
      const why = answer.reason.replace(/^.*: /, '');
      return putOff(evaluation, `Unable to look up mail exchanger information: ${why}`);
    }
    if (answer.kind !== 'ok') return dunno;
    const exchangers = answer.records.flatMap((record) => (record.type === 'MX' ? [record] : []));
    return exchangers.length === 0 ? dunno : backupFor(evaluation, toolbox, networks, exchangers);
  };
};

export const mxBackup: Readonly<Record<string, Constructor>> = { permit_mx_backup: permitMxBackup };
