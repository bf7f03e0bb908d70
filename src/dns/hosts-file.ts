/** /etc/hosts (hosts(5)), read again when it changes. */
import { familyOf, formatIp, parseIp } from '#address';
import { openChangingFile } from './changing-file.ts';

export interface HostsFile {
  /** Addresses of a name, canonical or alias, in file order. */
  addresses(name: string): readonly string[];
  /** Canonical name of an address; undefined when not listed. */
  name(address: string): string | undefined;
}

interface Parsed {
  readonly byName: ReadonlyMap<string, readonly string[]>;
  readonly byAddress: ReadonlyMap<string, string>;
}

/** Parses hosts(5). */
function parseHosts(text: string): Parsed {
  const byName = new Map<string, string[]>();
  const byAddress = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [address, ...names] = line.replace(/#.*$/, '').trim().split(/\s+/);
    const canonical = names[0];
    if (address === undefined || canonical === undefined || familyOf(address) === undefined) continue;
    const plain = plainAddress(address);
    if (!byAddress.has(plain)) byAddress.set(plain, canonical);
    for (const name of names) {
      const key = name.toLowerCase();
      const known = byName.get(key);
      if (known === undefined) byName.set(key, [plain]);
      else if (!known.includes(plain)) known.push(plain);
    }
  }
  return { byName, byAddress };
}

/** One spelling of an address: IPv6 in its short form, without the interface. */
export function plainAddress(address: string): string {
  const ip = address.includes(':') ? parseIp(address.replace(/%.*$/s, '')) : undefined;
  return ip?.family === 'ipv6' ? formatIp(ip) : address;
}

/** The file at a path. `now` in ms. */
export function openHostsFile(path: string, now: () => number): HostsFile {
  const current = openChangingFile(path, now, parseHosts);
  return {
    addresses: (name) => current().byName.get(name.toLowerCase()) ?? [],
    name: (address) => current().byAddress.get(plainAddress(address)),
  };
}
