/** Where a destination leads: the servers that may be asked, best first. smtp(8), RFC 5321, 5.1 */
import type { TlsRules } from './tls-policy.ts';
import { type AddressList, domainAddresses, hostAddresses, type ServerAddress } from './addresses.ts';
import type { Client } from './client.ts';
import { serviceAddresses } from './srv-addresses.ts';
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
  const { domain, port, literal, service } = destination;
  const detectLoop = settings.protocol === 'smtp' && port === smtpPort;
  const addresses = async (): Promise<AddressList> => {
    const asksDns = settings.dnsLookups && !literal;
    if (asksDns && (await client.tables.isSrvService(service))) {
      return serviceAddresses(lookups, domain, service, detectLoop);
    }
    return asksDns && settings.protocol === 'smtp'
      ? domainAddresses(lookups, domain, detectLoop)
      : hostAddresses(lookups, domain, detectLoop);
  };
  const list = kept?.list ?? (await addresses());
  return { destination, detectLoop, list, port, tls };
}

export function endpointOf(route: Route, { host, address, port = route.port }: ServerAddress): Endpoint {
  return { host, address, port };
}
