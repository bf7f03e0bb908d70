/** Where inet services listen: `[host:]port` of master.cf with inet_interfaces and inet_protocols. master(5), postconf(5) */
import { lookup } from 'node:dns/promises';
import { isIPv4, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import {
  ConfigError,
  familiesOf,
  type ListElement,
  placeOf,
  placeOfService,
  type ServiceEntry,
  type Settings,
  tcpPorts,
} from '#config';

export interface ListenAddress {
  readonly address: string;
  readonly port: number;
}

/** `host:port`, `[v6]:port`, `port`. */
function splitEndpoint(name: string): { readonly host: string; readonly port: string } {
  const match = /^(?:\[(?<literal>[^\]]+)\]|(?<host>[^:]*)):(?<port>[^:]+)$/.exec(name);
  return { host: match?.groups?.['literal'] ?? match?.groups?.['host'] ?? '', port: match?.groups?.['port'] ?? name };
}

const isV4 = (address: string): boolean => /^[\d.]+$/.test(address);
const isV6 = (address: string): boolean => address.includes(':');
const unbracketed = (host: string): string => host.replace(/^\[(.*)\]$/, '$1');

/** What is wrong with a host that is written as an address; undefined: it is one, or a name. */
function addressProblem(host: string): string | undefined {
  const literal = unbracketed(host);
  if (isV4(literal) && !isIPv4(literal)) {
    return `"${host}" is not an address; an IPv4 address is four numbers from 0 to 255, as 192.0.2.1`;
  }
  if (!isV6(literal) || (isIPv6(literal) && !literal.includes('%'))) return undefined;
  return `"${host}" is not an address; an IPv6 address is written as 2001:db8::1, without an interface`;
}

/** Addresses of one host name or literal, of the wanted protocols. */
async function resolveHost(host: string, wanted: (address: string) => boolean): Promise<readonly string[]> {
  const literal = unbracketed(host);
  if (isV4(literal) || isV6(literal)) return [literal].filter(wanted);
  const found = await lookup(literal, { all: true });
  return found.map((entry) => entry.address).filter(wanted);
}

function protocolFilter(settings: Settings): (address: string) => boolean {
  const families = familiesOf(settings);
  // both is what machines ask for that have only one
  const isOptional = families.length > 1;
  const hasV6 = Object.values(networkInterfaces()).some(
    (list) => list?.some((entry) => entry.family === 'IPv6') === true,
  );
  return (address) => (isV6(address) ? families.includes('ipv6') && (hasV6 || !isOptional) : families.includes('ipv4'));
}

/** All addresses an inet service listens on. Throws ConfigError when a name or port can't be used. */
export async function listenAddresses(entry: ServiceEntry, settings: Settings): Promise<readonly ListenAddress[]> {
  const { host, port: portName } = splitEndpoint(entry.name);
  const port = tcpPorts(settings)(portName);
  const place = placeOfService(entry);
  if (port === undefined) {
    throw new ConfigError([
      `${place}unknown port "${portName}"; write a number, or a name from known_tcp_ports or /etc/services`,
    ]);
  }
  const wanted = protocolFilter(settings);
  const hosts: readonly ListElement[] = host === '' ? settings.elements('inet_interfaces') : [{ text: host }];
  const addresses = new Set<string>();
  for (const { text: name, origin } of hosts) {
    const problem = addressProblem(name);
    if (problem !== undefined) {
      throw new ConfigError([`${host === '' ? `${placeOf(origin)}inet_interfaces: ` : place}${problem}`]);
    }
    try {
      for (const address of await addressesOf(name, wanted)) addresses.add(address);
    } catch {
      throw new ConfigError([`${place}host "${name}" has no address here; check inet_interfaces`]);
    }
  }
  if (addresses.size === 0) {
    const remedy = 'check inet_interfaces and inet_protocols, or comment out the service';
    throw new ConfigError([`${place}no valid IP address found: ${entry.name}; ${remedy}`]);
  }
  return [...addresses].map((address) => ({ address, port }));
}

/** Where strangers reach a service: `25`, `[192.0.2.1]:25`; undefined: it listens for this host alone. */
export async function publicPlace(entry: ServiceEntry, settings: Settings): Promise<string | undefined> {
  // passed connections are those of a screener before it
  if (entry.type === 'pass') return `${entry.isPrivate ? 'private' : 'public'}/${entry.name}`;
  if (entry.type !== 'inet') return undefined;
  const addresses = await listenAddresses(entry, settings);
  const stranger = addresses.find(({ address }) => address !== '::1' && !address.startsWith('127.'));
  if (stranger === undefined) return undefined;
  const { host } = splitEndpoint(entry.name);
  return host === '' ? String(stranger.port) : `[${host}]:${stranger.port}`;
}

async function addressesOf(name: string, wanted: (address: string) => boolean): Promise<readonly string[]> {
  if (name === 'all') return ['0.0.0.0', '::'].filter(wanted);
  if (name === 'loopback-only') return ['127.0.0.1', '::1'].filter(wanted);
  return resolveHost(name, wanted);
}
