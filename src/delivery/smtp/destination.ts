/**
 * The nexthop: which host or domain to ask for, on which port, and whether MX records count (smtp(8), transport(5)).
 *
 * `domain`, `domain:port`, `[host]`, `[address]:port`, `inet:…` and `unix:path` for LMTP; several, with commas or spaces,
 * are tried in order.
 */
import type { PortOf } from '#config';

export type Destination =
  | {
      readonly kind: 'inet';
      /** As written: a key of the connection cache and of policies. */
      readonly text: string;
      /** Domain or host, or an address without brackets. */
      readonly domain: string;
      readonly port: number;
      /** As written, or the default: a name or a number. */
      readonly service: string;
      /** In brackets: addresses of this host, no MX. */
      readonly literal: boolean;
    }
  | { readonly kind: 'unix'; readonly text: string; readonly path: string }
  | { readonly kind: 'invalid'; readonly warning: string };

/** Bytes of the path of a UNIX-domain socket. unix(7) */
const maxPathBytes = 107;

/** The elements of a nexthop. */
export function splitDestinations(nexthop: string): readonly string[] {
  return nexthop.split(/[,\s]+/).filter((part) => part !== '');
}

export interface DestinationRules {
  readonly protocol: 'smtp' | 'lmtp';
  /** A number or a service name. */
  readonly defaultPort: string;
  readonly portOf: PortOf;
}

/** Parses one element. */
export function parseDestination(text: string, { protocol, defaultPort, portOf }: DestinationRules): Destination {
  if (protocol === 'lmtp' && text.startsWith('unix:')) return socketDestination(text, text.slice('unix:'.length));
  const invalid = (reason: string): Destination => ({
    kind: 'invalid',
    warning: `${reason} in server description: ${text}`,
  });
  const rest = protocol === 'lmtp' && text.startsWith('inet:') ? text.slice('inet:'.length) : text;
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(rest);
  const plain = /^([^[\]:]+)(?::(.*))?$/.exec(rest);
  const [, host = '', service = defaultPort] = bracketed ?? plain ?? [];
  if (host === '' || service === '') return invalid('valid hostname or network address required');
  const port = portOf(service);
  if (port === undefined || port === 0) return invalid(`unknown service: ${service}/tcp`);
  return {
    kind: 'inet',
    text: rest,
    domain: host.replace(/^ipv6:/i, ''),
    port,
    service,
    literal: bracketed !== null,
  };
}

function socketDestination(text: string, path: string): Destination {
  if (Buffer.byteLength(path) > maxPathBytes) return { kind: 'invalid', warning: `unix-domain name too long: ${path}` };
  return { kind: 'unix', text, path };
}
