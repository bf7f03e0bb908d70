/** Addresses under which mail reaches this host: inet_interfaces and proxy_interfaces (own_inet_addr, proxy_inet_addr). */
import { networkInterfaces } from 'node:os';
import { familyOf } from '#address';
import type { AddressFamily, Settings } from '#config';
import type { HostLookup } from '#dns';

export type OwnAddresses = (address: string) => Promise<boolean>;

/** A test whether an address is ours; names in the settings are looked up at the first question. */
export function ownAddresses(settings: Settings, hostLookup: HostLookup): OwnAddresses {
  const elements = [...settings.list('inet_interfaces'), ...settings.list('proxy_interfaces')];
  const known = openAddresses(elements, hostLookup);
  return async (address) => (await known()).has(address);
}

/** The address of a family that mail leaves from; undefined: the system chooses. */
export type SourceAddresses = (family: AddressFamily) => Promise<string | undefined>;

/**
 * Where this host is one of several on the machine, its mail comes from its own address: the only one of inet_interfaces,
 * unless that is one of the loopback. postconf(5) inet_interfaces
 */
export function sourceAddresses(settings: Settings, hostLookup: HostLookup): SourceAddresses {
  const known = openAddresses(settings.list('inet_interfaces'), hostLookup);
  return async (family) => {
    const [first, ...others] = [...(await known())].filter((address) => familyOf(address) === family);
    return first === undefined || others.length > 0 || isLoopback(first) ? undefined : first;
  };
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

function openAddresses(elements: readonly string[], hostLookup: HostLookup): () => Promise<ReadonlySet<string>> {
  let found: Promise<Found> | undefined;
  return async () => {
    const asked = (found ??= collect(elements, hostLookup));
    const { addresses, isWhole } = await asked;
    // a name server that was silent may know more the next time: what is missed here is a mail loop
    if (!isWhole && found === asked) found = undefined;
    return addresses;
  };
}

interface Found {
  readonly addresses: ReadonlySet<string>;
  /** Every name was found, or is none. */
  readonly isWhole: boolean;
}

async function collect(elements: readonly string[], hostLookup: HostLookup): Promise<Found> {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const set = new Set<string>();
  let isWhole = true;
  for (const element of elements) {
    const word = element.toLowerCase();
    if (word === 'all') for (const { address } of all) set.add(address);
    else if (word === 'loopback-only') for (const { address } of all.filter((one) => one.internal)) set.add(address);
    else {
      const name = element.replace(/^\[(?:ipv6:)?(.*)\]$/i, '$1');
      if (familyOf(name) !== undefined) set.add(name);
      const answer = await hostLookup.addresses(name);
      if (answer.kind === 'ok') for (const address of answer.addresses) set.add(address);
      else if (answer.kind === 'tryAgain') isWhole = false;
    }
  }
  return { addresses: set, isWhole };
}
