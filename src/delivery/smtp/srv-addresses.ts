/** Servers of a service that a domain names by SRV records. postconf(5) use_srv_lookup; RFC 2782 */
import { domainToAscii } from '#address';
import type { DnsRecord } from '#dns';
import {
  addressesOfHost,
  type AddressList,
  domainAddresses,
  type LookupTools,
  nothing,
  originOf,
  type ServerAddress,
  softened,
} from './addresses.ts';

type SrvRecord = Extract<DnsRecord, { readonly type: 'SRV' }>;

/** One of them, each as often as its weight says. */
function pick(records: readonly SrvRecord[], random: () => number): SrvRecord | undefined {
  // those without a weight come first here, so that they have a chance at all
  const byWeight = records.toSorted((a, b) => a.weight - b.weight);
  const total = byWeight.reduce((sum, { weight }) => sum + weight, 0);
  let left = Math.floor(random() * (total + 1));
  return byWeight.find(({ weight }) => (left -= weight) <= 0);
}

/** By priority; of equal ones by lot. */
function inOrder(records: readonly SrvRecord[], random: () => number): readonly SrvRecord[] {
  const priorities = [...new Set(records.map(({ priority }) => priority))].toSorted((a, b) => a - b);
  return priorities.flatMap((wanted) => {
    let left = records.filter(({ priority }) => priority === wanted);
    const out: SrvRecord[] = [];
    for (let next = pick(left, random); next !== undefined; next = pick(left, random)) {
      const chosen = next;
      out.push(chosen);
      left = left.filter((record) => record !== chosen);
    }
    return out;
  });
}

/** Addresses of the servers, with the port of each; of the domain's MX hosts where main.cf allows that. */
export async function serviceAddresses(
  tools: LookupTools,
  domain: string,
  service: string,
  detectLoop: boolean,
): Promise<AddressList> {
  const { settings, resolver } = tools;
  const name = `_${service}._tcp.${domainToAscii(domain) ?? domain}`;
  const answer = await resolver.lookup(name, 'SRV');
  switch (answer.kind) {
    case 'ok': {
      const records = answer.records.flatMap((record) => (record.type === 'SRV' ? [record] : []));
      return { ...(await srvAddresses(tools, domain, records)), mx: originOf(name, answer) };
    }
    case 'noName':
    case 'noData':
      if (settings.srv.allowsFallback) return domainAddresses(tools, domain, detectLoop);
      return nothing({ code: '5.4.4', reason: answer.reason });
    case 'nullMx':
    case 'filtered':
    case 'tryAgain':
    case 'failed':
    case 'invalid': {
      if (settings.srv.allowsFallback || settings.srv.ignoresErrors) return domainAddresses(tools, domain, detectLoop);
      const code = { nullMx: '5.1.0', filtered: '4.7.0', tryAgain: '4.4.3', failed: '5.4.3', invalid: '5.4.4' }[
        answer.kind
      ];
      return nothing({ code, reason: answer.reason });
    }
  }
}

async function srvAddresses(tools: LookupTools, domain: string, records: readonly SrvRecord[]): Promise<AddressList> {
  const hosts = records.filter(({ host }) => host !== '' && host !== '.');
  if (hosts.length === 0) {
    return nothing({ code: '5.1.0', reason: `Domain ${domain} does not offer this service (null SRV)` });
  }
  const addresses: ServerAddress[] = [];
  let why: AddressList['why'];
  for (const [preference, { host, port }] of inOrder(hosts, tools.random).entries()) {
    const one = await addressesOfHost(tools, host, preference, why);
    addresses.push(...one.addresses.map((address) => ({ ...address, port })));
    why = one.why;
  }
  if (addresses.length > 0) return { addresses, why, isMxHost: false };
  tools.warn(`no SRV host for ${domain} has a valid address record`);
  return nothing(why !== undefined && tools.settings.deferIfNoMxAddress ? softened(why) : why);
}
