/** Defaults that depend on this machine: myhostname, mydomain, mynetworks. postconf(5) */
import { readFileSync } from 'node:fs';
import { hostname, networkInterfaces, type NetworkInterfaceInfo } from 'node:os';
import { formatIp, networkAddress, parseIp } from '#address';
import type { AddressFamily } from './address-families.ts';

/** What the machine says of itself; handed in by tests. */
export interface HostFacts {
  readonly hostname: string;
  readonly interfaces: readonly Pick<NetworkInterfaceInfo, 'address' | 'netmask' | 'family' | 'cidr'>[];
  /** Addresses that hosts(5) gives a name. */
  readonly addressesOf: (name: string) => readonly string[];
}

export function systemHostFacts(): HostFacts {
  return {
    hostname: hostname(),
    interfaces: Object.values(networkInterfaces()).flatMap((list) => list ?? []),
    addressesOf: (name) => readHosts('/etc/hosts', name),
  };
}

function readHosts(path: string, name: string): readonly string[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    // such a machine has no names but those of DNS
    return [];
  }
  return text.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    return names.some((word) => word.toLowerCase() === name) ? [address] : [];
  });
}

/** myhostname where mydomain is not set: the host's name; one without a dot gets `.localdomain`. */
export function defaultMyhostname(facts: HostFacts): string {
  return facts.hostname.includes('.') ? facts.hostname : `${facts.hostname}.localdomain`;
}

/** mydomain: myhostname without its first label, or localdomain. */
export function defaultMydomain(myhostname: string): string {
  const dot = myhostname.indexOf('.');
  return dot < 0 ? 'localdomain' : myhostname.slice(dot + 1);
}

function classNetwork(address: string): string {
  const octets = address.split('.').map(Number);
  const first = octets[0] ?? 0;
  const kept = first < 128 ? 1 : first < 192 ? 2 : 3;
  return `${[0, 1, 2, 3].map((i) => (i < kept ? (octets[i] ?? 0) : 0)).join('.')}/${kept * 8}`;
}

function maskBits(netmask: string): number {
  return netmask.split('.').reduce((bits, octet) => bits + Number(octet).toString(2).replaceAll('0', '').length, 0);
}

function subnet(address: string, netmask: string): string {
  const mask = netmask.split('.').map(Number);
  const octets = address.split('.').map((octet, i) => Number(octet) & (mask[i] ?? 0));
  return `${octets.join('.')}/${maskBits(netmask)}`;
}

/** Whether the value of inet_interfaces covers an address. A name that only DNS knows covers none: that trusts nobody too much. */
function isListening(listed: readonly string[], address: string, { addressesOf }: HostFacts): boolean {
  return listed.some((word) => {
    if (word === 'all') return true;
    if (word === 'loopback-only') return isLoopback(address);
    if (word.replace(/^\[(.*)\]$/, '$1') === address) return true;
    const known = addressesOf(word.toLowerCase());
    return known.length === 0 && word === 'localhost' ? isLoopback(address) : known.includes(address);
  });
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

/** mynetworks by mynetworks_style over the interfaces that mail is received on. */
export function defaultMynetworks(
  facts: HostFacts,
  style: string,
  listed: readonly string[],
  families: readonly AddressFamily[],
): string {
  const out: string[] = [];
  const add = (network: string): void => {
    if (!out.includes(network)) out.push(network);
  };
  const useV4 = families.includes('ipv4');
  const useV6 = families.includes('ipv6');
  for (const { address, netmask, family, cidr } of facts.interfaces) {
    if (!isListening(listed, address, facts)) continue;
    if (family === 'IPv4' && useV4) {
      if (style === 'host') add(`${address}/32`);
      else add(style === 'class' ? classNetwork(address) : subnet(address, netmask));
    } else if (family === 'IPv6' && useV6) {
      const bits = style === 'host' ? 128 : Number(cidr?.split('/')[1] ?? 128);
      add(bits === 128 ? `[${address}]/128` : ipv6Network(address, bits));
    }
  }
  return out.join(' ');
}

/** As mynetworks writes it, its host bits cleared. */
function ipv6Network(address: string, prefixLength: number): string {
  const ip = parseIp(address);
  return `[${ip === undefined ? address : formatIp(networkAddress({ ...ip, prefixLength }))}]/${prefixLength}`;
}
