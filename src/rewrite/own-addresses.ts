/** The Internet addresses at which this system receives mail: inet_interfaces and proxy_interfaces. postconf(5) */
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { formatIp, parseAddressLiteral, parseIp } from '#address';
import type { Settings } from '#config';

export interface OwnAddressFacts {
  readonly interfaces: readonly Pick<NetworkInterfaceInfo, 'address' | 'internal'>[];
  /** Addresses of names in inet_interfaces, when the caller has looked them up. */
  readonly named?: ReadonlyMap<string, readonly string[]>;
}

export function systemInterfaces(): OwnAddressFacts {
  return { interfaces: Object.values(networkInterfaces()).flatMap((list) => list ?? []) };
}

/** Addresses in the form `formatIp` gives. Names that were not looked up are left out. */
export function ownAddresses(settings: Settings, facts: OwnAddressFacts): ReadonlySet<string> {
  const found = new Set<string>();
  const add = (text: string): void => {
    const address = parseIp(text);
    if (address !== undefined) found.add(formatIp(address));
  };
  for (const word of [...settings.list('inet_interfaces'), ...settings.list('proxy_interfaces')]) {
    const name = word.toLowerCase();
    const literal = parseAddressLiteral(name);
    if (name === 'all' || name === 'loopback-only') {
      for (const { address, internal } of facts.interfaces) if (internal || name === 'all') add(address);
    } else if (literal !== undefined) {
      found.add(formatIp(literal));
    } else if (name === 'localhost') {
      for (const { address, internal } of facts.interfaces) if (internal) add(address);
    } else {
      for (const address of facts.named?.get(name) ?? [name.replace(/^\[(.*)\]$/, '$1')]) add(address);
    }
  }
  return found;
}
