/** Where a destination leads: the servers that may be asked, best first. smtp(8), RFC 5321, 5.1 */
import type { TlsRules } from './tls-policy.ts';
import { type AddressList, domainAddresses, hostAddresses, type ServerAddress } from './addresses.ts';
import type { Client } from './client.ts';
import type { Endpoint } from './endpoint.ts';
import type { KeptConnection } from './connection-cache.ts';
import type { Destination } from './destination.ts';

/** Where a destination leads. */
export interface Route {
  readonly destination: Extract<Destination, { readonly kind: 'inet' | 'unix' }>;
  readonly detectLoop: boolean;
  readonly list: AddressList;
  readonly port: number;
  readonly tls: TlsRules;
}

const smtpPort = 25;

export async function findRoute(
  client: Client,
  destination: Route['destination'],
  kept: KeptConnection | undefined,
  tls: TlsRules,
): Promise<Route> {
  const { settings, lookups } = client;
  if (destination.kind === 'unix') {
    const only = { host: settings.myHostname, address: destination.path, preference: 0 };
    const list: AddressList = { addresses: [only], why: undefined, isMxHost: false };
    return { destination, detectLoop: false, list, port: 0, tls };
  }
  const { domain, port, literal } = destination;
  const detectLoop = settings.protocol === 'smtp' && port === smtpPort;
  const useMx = settings.protocol === 'smtp' && settings.dnsLookups && !literal;
  const list =
    kept?.list ??
    (useMx ? await domainAddresses(lookups, domain, detectLoop) : await hostAddresses(lookups, domain, detectLoop));
  return { destination, detectLoop, list, port, tls };
}

export function endpointOf(route: Route, { host, address }: ServerAddress): Endpoint {
  return { host, address, port: route.port };
}
