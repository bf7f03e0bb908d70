/** canonical and masquerade rewriting, and virtual alias expansion, of single addresses. canonical(5), virtual(5) */
import { joinAddress, splitAddress } from '#address';
import { type MaybePromise, whenReady } from '#message';
import type { Rewriter } from '#rewrite';
import { type AddressMapOptions, findByAddress, mapAddress, type TableList } from '#tables';
import type { CleanupSettings } from './settings.ts';

export class MapError extends Error {}

export interface AddressMaps {
  readonly settings: CleanupSettings;
  readonly rewriter: Rewriter;
  readonly lookup: (propagateAs: string) => AddressMapOptions;
}

export function createAddressMaps(settings: CleanupSettings, rewriter: Rewriter): AddressMaps {
  const base = {
    recipientDelimiter: settings.recipientDelimiter,
    ownerRequestSpecial: settings.ownerRequestSpecial,
    doubleBounceName: settings.doubleBounceName,
    isLocalDomain: (domain: string) =>
      domain.toLowerCase() === settings.myorigin.toLowerCase() ? 'yes' : rewriter.isLocalDomain(domain),
    complete: (address: string) => rewriter.rewrite(address, 'local'),
  } as const;
  return {
    settings,
    rewriter,
    lookup: (propagateAs) => ({ ...base, propagatesExtension: settings.propagates.has(propagateAs) }),
  };
}

/** One address through one canonical table, up to ten times. */
function mapOnce(address: string, tables: TableList, maps: AddressMaps): MaybePromise<string> {
  if (tables.isEmpty) return address;
  const step = (current: string, left: number): MaybePromise<string> =>
    whenReady(mapAddress(tables, current, maps.lookup('canonical')), (result): MaybePromise<string> => {
      if (result.kind === 'failed')
        throw new MapError(`${tables.title} map lookup problem for ${current}: ${result.reason}`);
      if (result.kind === 'missing') return current;
      const [next, ...more] = result.addresses;
      if (next === undefined || more.length > 0)
        throw new MapError(`multi-valued ${tables.title} entry for ${current}`);
      if (next.toLowerCase() === current.toLowerCase() || next === current) return next;
      if (left === 0) throw new MapError(`unreasonable ${tables.title} map nesting for ${address}`);
      return step(next, left - 1);
    });
  return step(address, 10);
}

/** masquerade_domains: subdomains become the domain; `!` exempts. ADDRESS_REWRITING_README */
export function masquerade(address: string, settings: CleanupSettings): string {
  const { localPart, domain } = splitAddress(address);
  if (
    settings.masqueradeDomains.length === 0 ||
    domain === '' ||
    settings.masqueradeExceptions.has(localPart.toLowerCase())
  )
    return address;
  const name = domain.toLowerCase();
  for (const pattern of settings.masqueradeDomains) {
    const isExempt = pattern.startsWith('!');
    const parent = pattern.replace(/^!/, '').toLowerCase();
    if (name === parent) return address;
    if (name.endsWith(`.${parent}`)) return isExempt ? address : joinAddress(localPart, parent);
  }
  return address;
}

export type AddressRole = 'envelope_sender' | 'envelope_recipient' | 'header_sender' | 'header_recipient';

/** canonical maps by role, then masquerading. */
export function canonicalise(address: string, role: AddressRole, maps: AddressMaps): MaybePromise<string> {
  const { settings } = maps;
  if (address === '') return address;
  const isSender = role.endsWith('sender');
  const own = isSender ? settings.senderCanonical : settings.recipientCanonical;
  const ownClasses = isSender ? settings.senderCanonicalClasses : settings.recipientCanonicalClasses;
  const first = ownClasses.has(role) ? mapOnce(address, own, maps) : address;
  const second = whenReady(first, (mapped) =>
    settings.canonicalClasses.has(role) ? mapOnce(mapped, settings.canonical, maps) : mapped,
  );
  return whenReady(second, (mapped) => (settings.masqueradeClasses.has(role) ? masquerade(mapped, settings) : mapped));
}

/** All addresses that a recipient stands for. Throws MapError past the limits. virtual(5) */
export async function expandAliases(address: string, maps: AddressMaps): Promise<readonly string[]> {
  const { settings } = maps;
  if (settings.virtualAlias.isEmpty) return [address];
  const done: string[] = [];
  const seen = new Set<string>();
  let todo: { address: string; depth: number }[] = [{ address, depth: 0 }];
  while (todo.length > 0) {
    const next: typeof todo = [];
    for (const { address: current, depth } of todo) {
      const result = await mapAddress(settings.virtualAlias, current, maps.lookup('virtual'));
      if (result.kind === 'failed')
        throw new MapError(`virtual_alias_maps map lookup problem for ${current}: ${result.reason}`);
      if (result.kind === 'missing') {
        done.push(current);
        continue;
      }
      for (const target of result.addresses) {
        if (target.toLowerCase() === current.toLowerCase() || seen.has(target.toLowerCase())) {
          if (!done.includes(target)) done.push(target);
          continue;
        }
        if (depth >= settings.aliasRecursionLimit)
          throw new MapError(`unreasonable virtual_alias_maps map nesting for ${address}`);
        next.push({ address: target, depth: depth + 1 });
      }
      seen.add(current.toLowerCase());
      if (done.length + next.length > settings.aliasExpansionLimit) {
        throw new MapError(`unreasonable virtual_alias_maps map expansion size for ${address}`);
      }
    }
    todo = next;
  }
  return done;
}

/** The one address that a bcc map gives; undefined when there is none. */
export function bccFor(tables: TableList, address: string, maps: AddressMaps): MaybePromise<string | undefined> {
  if (tables.isEmpty || address === '') return undefined;
  return whenReady(findByAddress(tables, address, maps.lookup('bcc')), (result) => {
    if (result.kind === 'failed')
      throw new MapError(`${tables.title} map lookup problem for ${address}: ${result.reason}`);
    return result.kind === 'found' ? maps.rewriter.rewrite(result.value.trim(), 'local') : undefined;
  });
}
