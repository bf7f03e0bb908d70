/**
 * The nexthop: which host or domain to ask for, on which port, and whether MX records count (smtp(8), transport(5)).
 *
 * `domain`, `domain:port`, `[host]`, `[address]:port`, `inet:…` and `unix:path` for LMTP; several, with commas or spaces,
 * are tried in order.
 */
import { readFileSync } from 'node:fs';

export type Destination =
  | {
      readonly kind: 'inet';
      /** As written: a key of the connection cache and of policies. */
      readonly text: string;
      /** Domain or host, or an address without brackets. */
      readonly domain: string;
      readonly port: number;
      /** In brackets: addresses of this host, no MX. */
      readonly literal: boolean;
    }
  | { readonly kind: 'unix'; readonly text: string; readonly path: string }
  | { readonly kind: 'invalid'; readonly text: string; readonly reason: string };

/** Ports that need no services file. */
const knownPorts: Readonly<Record<string, number>> = {
  smtp: 25,
  lmtp: 24,
  submission: 587,
  submissions: 465,
  smtps: 465,
};

/** The elements of a nexthop. */
export function splitDestinations(nexthop: string): readonly string[] {
  return nexthop.split(/[,\s]+/).filter((part) => part !== '');
}

/** Parses one element; `defaultPort` is a number or a service name. */
export function parseDestination(text: string, defaultPort: string, protocol: 'smtp' | 'lmtp'): Destination {
  if (protocol === 'lmtp' && text.startsWith('unix:')) return { kind: 'unix', text, path: text.slice('unix:'.length) };
  const rest = protocol === 'lmtp' && text.startsWith('inet:') ? text.slice('inet:'.length) : text;
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(rest);
  const plain = /^([^[\]:]+)(?::(.*))?$/.exec(rest);
  const [, host = '', service = defaultPort] = bracketed ?? plain ?? [];
  if (host === '' || service === '')
    return { kind: 'invalid', text, reason: 'valid hostname or network address required' };
  const port = portNumber(service);
  if (port === undefined) return { kind: 'invalid', text, reason: `unknown service: ${service}/tcp` };
  return {
    kind: 'inet',
    text: rest,
    domain: host.replace(/^ipv6:/i, ''),
    port,
    literal: bracketed !== null,
  };
}

function portNumber(service: string): number | undefined {
  if (/^\d+$/.test(service)) {
    const port = Number(service);
    return port > 0 && port <= 65535 ? port : undefined;
  }
  return knownPorts[service] ?? servicesFilePort(service);
}

/** services(5); read only for a name that is not one of mail's own. */
function servicesFilePort(service: string): number | undefined {
  let text: string;
  try {
    text = readFileSync('/etc/services', 'utf8');
  } catch {
    // no such file: the name is unknown, and the caller says so
    return undefined;
  }
  for (const line of text.split('\n')) {
    const [name, port, ...aliases] = line.replace(/#.*$/, '').trim().split(/\s+/);
    if (port?.endsWith('/tcp') === true && (name === service || aliases.includes(service))) {
      return Number(port.slice(0, -'/tcp'.length));
    }
  }
  return undefined;
}
