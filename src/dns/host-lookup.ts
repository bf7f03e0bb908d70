/**
 * Names by the system's own sources, where Postfix calls getaddrinfo and getnameinfo: /etc/hosts, then DNS
 * (nsswitch.conf(5) `hosts: files dns`).
 *
 * Our own walk rather than node:dns lookup, because that occupies one of libuv's few threads for as long as a server is
 * silent, and tells a missing name from a silent server only by half.
 */
import { endAddress, familyOf, type IpAddress, parseIp } from '#address';
import { lookupTexts } from '#native';
import type { DnsAnswer, HostLookup, Resolver } from './answer.ts';
import { openHostsFile, plainAddress } from './hosts-file.ts';
import { candidatesFor, type SearchOptions } from './search-list.ts';

export interface HostLookupOptions {
  readonly hostsPath?: string;
  /** Address families to look for (inet_protocols). */
  readonly families?: readonly ('ipv4' | 'ipv6')[];
  /** ms since the epoch. */
  readonly now?: () => number;
  /** Of resolv.conf(5): names are completed as the C library does it. Without it they are asked for as they are. */
  readonly searchList?: SearchOptions['conf'];
}

/** Lookup through the hosts file and a resolver. Never rejects. */
export function createHostLookup(resolver: Resolver, options: HostLookupOptions = {}): HostLookup {
  const hosts = openHostsFile(options.hostsPath ?? '/etc/hosts', options.now ?? Date.now);
  const families = options.families ?? ['ipv4', 'ipv6'];
  const wanted = (address: string): boolean => families.includes(familyOf(address) ?? 'ipv4');
  const { searchList: conf } = options;
  const candidates = (name: string): readonly string[] =>
    conf === undefined ? [name] : candidatesFor(name, { conf, defaultDomain: true, searchAll: true });
  return {
    async addresses(name) {
      if (familyOf(name) !== undefined) return { kind: 'ok', addresses: [name] };
      const listed = hosts.addresses(name).filter(wanted);
      if (listed.length > 0) return { kind: 'ok', addresses: listed };
      let own: readonly DnsAnswer[] = [];
      for (const candidate of candidates(name)) {
        // what is there for one family only is not looked for elsewhere for the other
        const answers = await Promise.all(
          families.map((family) => resolver.lookup(candidate, family === 'ipv4' ? 'A' : 'AAAA')),
        );
        const addresses = answers.flatMap(addressesIn);
        if (addresses.length > 0) return { kind: 'ok', addresses };
        if (answers.some(({ kind }) => kind === 'tryAgain')) return whyNot(answers);
        if (candidate === name) own = answers;
      }
      return whyNot(own);
    },
    async name(address) {
      const listed = hosts.name(address);
      if (listed !== undefined) return { kind: 'ok', name: listed };
      const ip = parseIp(endAddress(address));
      if (ip === undefined) return { kind: 'notFound', reason: lookupTexts.EAI_NONAME };
      const answer = await resolver.lookup(reverseName(ip), 'PTR');
      if (answer.kind === 'ok') {
        const [first] = answer.records;
        if (first !== undefined && 'host' in first) return { kind: 'ok', name: first.host };
      }
      return whyNot([answer]);
    },
  };
}

function addressesIn(answer: DnsAnswer): readonly string[] {
  if (answer.kind !== 'ok') return [];
  return answer.records.flatMap((record) => ('address' in record ? [plainAddress(record.address)] : []));
}

function whyNot(answers: readonly DnsAnswer[]): {
  readonly kind: 'notFound' | 'tryAgain';
  readonly reason: string;
} {
  if (answers.some((answer) => answer.kind === 'tryAgain')) return { kind: 'tryAgain', reason: lookupTexts.EAI_AGAIN };
  if (answers.some((answer) => answer.kind === 'noData')) return { kind: 'notFound', reason: lookupTexts.EAI_NODATA };
  return { kind: 'notFound', reason: lookupTexts.EAI_NONAME };
}

/** `4.3.2.1.in-addr.arpa`, or the nibbles under `ip6.arpa` (RFC 1035, 3.5; RFC 3596, 2.5). */
function reverseName({ family, bytes }: IpAddress): string {
  if (family === 'ipv4') return `${bytes.toReversed().join('.')}.in-addr.arpa`;
  const nibbles = [...bytes].flatMap((byte) => [byte >> 4, byte & 15]);
  return `${nibbles
    .map((nibble) => nibble.toString(16))
    .toReversed()
    .join('.')}.ip6.arpa`;
}
