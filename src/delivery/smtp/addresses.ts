/**
 * From a domain or host to the addresses to try, in order (RFC 5321, 5.1; postconf(5) smtp_defer_if_no_mx_address_found).
 *
 * Hosts that are not better than ourselves are left out. A lookup that fails softly at any host makes the failure of the
 * whole a soft one. The order is that of `address-order.ts`.
 */
import { domainToAscii, familyOf } from '#address';
import type { DnsAnswer, DnsRecord, DnsTrouble, HostLookup, Resolver } from '#dns';
import type { Status } from '#message';
import { ordered } from './address-order.ts';
import type { OwnAddresses } from './own-addresses.ts';
import type { SmtpSettings } from './settings.ts';

/** Where in the DNS something was found. */
export interface DnsOrigin {
  /** As it was asked for. */
  readonly name: string;
  /** At the end of its aliases. */
  readonly canonicalName: string;
  /** The resolver has found all of it to be signed. */
  readonly isSecure: boolean;
}

export interface ServerAddress {
  /** Name as found: the MX host, or the host asked for. */
  readonly host: string;
  readonly address: string;
  readonly preference: number;
  /** Of an SRV record; otherwise that of the destination. */
  readonly port?: number;
  /** Absent: the address is not from the DNS. */
  readonly origin?: DnsOrigin;
}

export interface AddressList {
  readonly addresses: readonly ServerAddress[];
  /** Why nothing was found, or the trouble of the last host that was not. */
  readonly why: Status | undefined;
  /** This host is among the MX hosts: no other way may be tried. */
  readonly isMxHost: boolean;
  /** The MX or SRV records that led here. */
  readonly mx?: DnsOrigin;
}

export interface LookupTools {
  readonly settings: SmtpSettings;
  readonly resolver: Resolver;
  readonly hostLookup: HostLookup;
  readonly isOwnAddress: OwnAddresses;
  /** In [0, 1). */
  readonly random: () => number;
  readonly warn: (text: string) => void;
}

/** Addresses of the MX hosts of a domain, or of the domain itself when it has no MX data. */
export async function domainAddresses(tools: LookupTools, domain: string, detectLoop: boolean): Promise<AddressList> {
  const { settings, resolver } = tools;
  const name = domainToAscii(domain) ?? domain;
  const answer = await resolver.lookup(name, 'MX');
  switch (answer.kind) {
    case 'ok':
      return { ...(await mxAddresses(tools, domain, answer.records, detectLoop)), mx: originOf(name, answer) };
    case 'noName':
    case 'noData':
      return hostAddresses(tools, domain, detectLoop);
    case 'nullMx':
      return nothing({ code: '5.1.0', reason: answer.reason });
    case 'filtered':
      return nothing({ code: '4.7.0', reason: answer.reason });
    case 'tryAgain':
    case 'failed':
    case 'invalid': {
      if (settings.ignoreMxLookupError) return hostAddresses(tools, domain, detectLoop);
      const code = { tryAgain: '4.4.3', failed: '5.4.3', invalid: '5.4.4' }[answer.kind];
      return nothing({ code, reason: answer.reason });
    }
  }
}

export function originOf(name: string, { canonicalName, secure }: Extract<DnsAnswer, { kind: 'ok' }>): DnsOrigin {
  return { name: name.replace(/\.$/, ''), canonicalName, isSecure: secure };
}

/** Addresses of one host, or the address that is written in its place. */
export async function hostAddresses(tools: LookupTools, host: string, detectLoop: boolean): Promise<AddressList> {
  const found = await addressesOfHost(tools, domainToAscii(host) ?? host, 0, undefined);
  if (detectLoop && found.addresses.length > 0 && (await firstOwn(tools, found.addresses)) !== undefined) {
    return nothing({ code: '5.4.6', reason: `mail for ${host} loops back to myself` });
  }
  return { addresses: ordered(tools, found.addresses), why: found.why, isMxHost: false };
}

export function nothing(why: Status | undefined): AddressList {
  return { addresses: [], why, isMxHost: false };
}

async function mxAddresses(
  tools: LookupTools,
  domain: string,
  records: readonly DnsRecord[],
  detectLoop: boolean,
): Promise<AddressList> {
  const hosts = records
    .flatMap((record) => (record.type === 'MX' ? [record] : []))
    .toSorted((a, b) => a.preference - b.preference);
  const found: ServerAddress[] = [];
  let why: Status | undefined;
  for (const { host, preference } of hosts) {
    const one = await addressesOfHost(tools, host, preference, why);
    found.push(...one.addresses);
    why = one.why;
  }
  if (found.length === 0) {
    tools.warn(`no MX host for ${domain} has a valid address record`);
    return {
      addresses: [],
      why: why !== undefined && tools.settings.deferIfNoMxAddress ? softened(why) : why,
      isMxHost: false,
    };
  }
  const self = detectLoop ? await firstOwn(tools, found) : undefined;
  if (self === undefined) return { addresses: ordered(tools, found), why, isMxHost: false };
  const better = found.filter(({ preference }) => preference < self.preference);
  if (better.length > 0) return { addresses: ordered(tools, better), why, isMxHost: true };
  const isPrimary = hosts[0]?.preference === found[0]?.preference;
  return {
    addresses: [],
    why: isPrimary
      ? { code: '5.4.6', reason: `mail for ${domain} loops back to myself` }
      : { code: '4.4.4', reason: `unable to find primary relay for ${domain}` },
    isMxHost: true,
  };
}

async function firstOwn(tools: LookupTools, addresses: readonly ServerAddress[]): Promise<ServerAddress | undefined> {
  for (const one of addresses) if (await tools.isOwnAddress(one.address)) return one;
  return undefined;
}

/** The same status as a temporary one. */
export function softened(status: Status): Status {
  return { ...status, code: `4${status.code.slice(1)}` };
}

/** Addresses of a name; `before` is the trouble of the hosts looked at so far. */
export async function addressesOfHost(
  tools: LookupTools,
  host: string,
  preference: number,
  before: Status | undefined,
): Promise<{ readonly addresses: readonly ServerAddress[]; readonly why: Status | undefined }> {
  const { settings } = tools;
  const found = (address: string, origin?: DnsOrigin): ServerAddress => ({
    host,
    address,
    preference,
    ...(origin && { origin }),
  });
  const bare = host.replace(/^ipv6:/i, '');
  const family = familyOf(bare);
  if (family !== undefined && settings.families.includes(family)) {
    return { addresses: [found(bare)], why: before };
  }
  const wasSoft = before?.code.startsWith('4') === true;
  let why = before;
  if (settings.hostLookup.includes('dns')) {
    const answers = await Promise.all(
      settings.families.map((name) => tools.resolver.lookup(host, name === 'ipv4' ? 'A' : 'AAAA')),
    );
    // DANE is about the host: what is signed for one family holds for the other
    const heard = answers.flatMap((answer) => (answer.kind === 'ok' ? [answer] : []));
    const signed = heard.find(({ secure }) => secure);
    const addresses = heard.flatMap((answer) => {
      const origin = originOf(host, signed ?? answer);
      return answer.records.flatMap((record) => ('address' in record ? [found(record.address, origin)] : []));
    });
    if (addresses.length > 0) return { addresses, why: before };
    const worst = mostHopeful(answers);
    if (worst !== undefined) why = { code: troubleCode(worst.kind, wasSoft), reason: worst.reason };
    if (worst === undefined || (worst.kind !== 'noName' && worst.kind !== 'noData')) return { addresses: [], why };
  }
  if (settings.hostLookup.includes('native')) {
    const answer = await tools.hostLookup.addresses(host);
    if (answer.kind === 'ok') {
      const usable = answer.addresses.filter((address) => settings.families.includes(familyOf(address) ?? 'ipv4'));
      return { addresses: usable.map((address) => found(address)), why: before };
    }
    why = {
      code: wasSoft || answer.kind === 'tryAgain' ? '4.4.4' : '5.4.4',
      reason: `unable to look up host ${host}: ${answer.reason}`,
    };
  }
  return { addresses: [], why };
}

type Failure = Exclude<DnsAnswer, { readonly kind: 'ok' }>;

/** Of several families the answer that leaves most hope counts, of equal ones the last (dns_lookup_v). */
function mostHopeful(answers: readonly DnsAnswer[]): Failure | undefined {
  const hope: Readonly<Record<DnsTrouble, number>> = {
    noName: 0,
    noData: 0,
    nullMx: 1,
    failed: 2,
    invalid: 3,
    tryAgain: 4,
    filtered: 5,
  };
  let best: Failure | undefined;
  for (const answer of answers) {
    if (answer.kind === 'ok') continue;
    if (best === undefined || hope[answer.kind] >= hope[best.kind]) best = answer;
  }
  return best;
}

function troubleCode(trouble: DnsTrouble, wasSoft: boolean): string {
  switch (trouble) {
    case 'tryAgain':
      return '4.4.3';
    case 'failed':
      return wasSoft ? '4.4.3' : '5.4.3';
    case 'filtered':
      return wasSoft ? '4.7.0' : '5.7.0';
    case 'noName':
    case 'noData':
    case 'nullMx':
    case 'invalid':
      return wasSoft ? '4.4.4' : '5.4.4';
  }
}
