/** Lookups in transport_maps, and what an entry changes. transport(5) */
import { splitAddress, splitExtension, toExternal } from '#address';
import { type MaybePromise, whenReady } from '#message';
import { lookupFirst, type SearchKey, type TableList } from '#tables';
import type { ResolveSettings } from './settings.ts';

export interface Route {
  readonly transport: string;
  readonly nexthop: string;
}

export type TransportMapResult =
  | { readonly kind: 'route'; readonly route: Route }
  | { readonly kind: 'failed'; readonly reason: string };

/** The route with what transport_maps says about the recipient (internal form) in its place. */
export function applyTransportMaps(
  maps: TableList,
  recipient: string,
  route: Route,
  settings: ResolveSettings,
): MaybePromise<TransportMapResult> {
  if (maps.isEmpty) return { kind: 'route', route };
  const { localPart, domain } = splitAddress(recipient);
  return whenReady(lookupFirst(maps, transportKeys(recipient, localPart, domain, settings)), (result) => {
    switch (result.kind) {
      case 'missing':
        return { kind: 'route', route };
      case 'failed':
        return { kind: 'failed', reason: result.reason };
      case 'found':
        return { kind: 'route', route: changedRoute(route, result.value, domain) };
    }
  });
}

function transportKeys(
  recipient: string,
  localPart: string,
  domain: string,
  settings: ResolveSettings,
): readonly SearchKey[] {
  const keys: SearchKey[] = [{ key: toExternal(recipient), partial: false }];
  const add = (key: string): void => void keys.push({ key, partial: true });
  const { user, delimiter } = splitExtension(localPart, settings.recipientDelimiter, settings);
  if (delimiter !== '') add(toExternal(`${user}@${domain}`));
  add(domain);
  if (!domain.startsWith('[')) {
    for (let dot = domain.indexOf('.', 1); dot >= 0; dot = domain.indexOf('.', dot + 1)) {
      add(domain.slice(settings.transportParentsMatch ? dot + 1 : dot));
    }
  }
  // asked for as it is, so that an expression may match it
  keys.push({ key: '*', partial: false });
  return keys;
}

/** `transport:nexthop`; an empty transport keeps the one there is, an empty nexthop after a transport means the domain. */
function changedRoute(route: Route, value: string, domain: string): Route {
  const { transport, nexthop } = splitDestination(value.trim());
  if (transport === '') return nexthop === '' ? route : { ...route, nexthop };
  if (nexthop !== '') return { transport, nexthop };
  const explains = transport === 'error' || transport === 'retry';
  return { transport, nexthop: explains ? 'Address is undeliverable' : domain };
}

/** Divides `transport:nexthop` at the first colon. */
export function splitDestination(text: string): Route {
  const colon = text.indexOf(':');
  if (colon < 0) return { transport: text, nexthop: '' };
  return { transport: text.slice(0, colon), nexthop: text.slice(colon + 1) };
}
