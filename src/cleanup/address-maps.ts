/** canonical and masquerade rewriting, virtual alias expansion and bcc lookup of single addresses. canonical(5), virtual(5) */
import { setImmediate } from 'node:timers/promises';
import { joinAddress, splitAddress, toExternal } from '#address';
import type { EventChannel } from '#events';
import { createBareKeyTest, createLocalDomainTest, type Rewriter } from '#rewrite';
import { type AddressMapOptions, type AddressMapResult, findByAddress, mapAddress } from '#tables';
import type { CleanupSettings, NamedTables } from './settings.ts';
import { ready, type Steps } from './steps.ts';

/** An address can't be worked out, so the message waits at its sender. `expansion`: too many, too deep, too long. */
export class MapError extends Error {
  readonly problem: 'lookup' | 'expansion';
  constructor(problem: 'lookup' | 'expansion', text: string) {
    super(text);
    this.name = 'MapError';
    this.problem = problem;
  }
}

const lookupError = (name: string, address?: string): MapError =>
  new MapError('lookup', `${name} map lookup problem${address === undefined ? '' : ` for ${address}`}`);

export interface AddressMaps {
  readonly settings: CleanupSettings;
  readonly rewriter: Rewriter;
  readonly canonicalOptions: AddressMapOptions;
  readonly virtualOptions: AddressMapOptions;
  readonly events: EventChannel;
}

/** For one message: warnings name it. */
export interface MessageMaps extends AddressMaps {
  readonly queueId: string;
  /** False under no_address_mappings: addresses get their standard form and nothing else. */
  readonly mapsAddresses: boolean;
}

const canonicalNesting = 10;

export function createAddressMaps(settings: CleanupSettings, rewriter: Rewriter, events: EventChannel): AddressMaps {
  const isLocalDomain = createLocalDomainTest(settings.mydestination, rewriter.ownAddresses);
  const hasBareKeys = createBareKeyTest(isLocalDomain, settings.myorigin);
  const options = (use: string): AddressMapOptions => ({
    recipientDelimiter: settings.recipientDelimiter,
    ownerRequestSpecial: settings.ownerRequestSpecial,
    doubleBounceName: settings.doubleBounceName,
    isLocalDomain: hasBareKeys,
    complete: (address, localPart) => rewriter.rewrite(address, 'local', localPart),
    propagatesExtension: settings.propagates.has(use),
  });
  return { settings, rewriter, canonicalOptions: options('canonical'), virtualOptions: options('virtual'), events };
}

/** The addresses that tables give for one; undefined for none. Throws MapError when that can't be told. */
function* mapped(
  address: string,
  { name, list }: NamedTables,
  options: AddressMapOptions,
  { events }: MessageMaps,
): Steps<readonly string[] | undefined> {
  const result: AddressMapResult = yield* ready(mapAddress(list, address, options));
  if (result.kind === 'mapped') return result.addresses;
  if (result.kind === 'missing') return undefined;
  const { useless } = result;
  if (useless !== undefined) {
    const text = `${name} lookup of ${toExternal(address)} returns non-address result "${useless}"`;
    events.emit({ kind: 'warning', text });
  }
  throw lookupError(name, address);
}

/** One address through one canonical table, again and again until it stays as it is. */
function* mapCanonical(address: string, tables: NamedTables, maps: MessageMaps): Steps<string> {
  const { name } = tables;
  const warn = (text: string): void => maps.events.emit({ kind: 'warning', text: `${maps.queueId}: ${text}` });
  let current = address;
  for (let count = 0; count < canonicalNesting; count += 1) {
    const addresses = yield* mapped(current, tables, maps.canonicalOptions, maps);
    if (addresses === undefined) return current;
    const [next = current] = addresses;
    if (addresses.length > 1) warn(`multi-valued ${name} entry for ${toExternal(current) || '""'}`);
    if (next.toLowerCase() === current.toLowerCase()) return next;
    current = next;
  }
  // the text is Postfix's, and so is it that the message is accepted
  warn(`unreasonable ${name} map nesting for ${toExternal(current)} -- message not accepted, try again later`);
  return current;
}

/** masquerade_domains: subdomains become the domain; `!` exempts. ADDRESS_REWRITING_README */
function* masquerade(
  address: string,
  settings: Pick<CleanupSettings, 'masqueradeDomains' | 'masqueradeExceptions'>,
): Steps<string> {
  if (settings.masqueradeDomains.length === 0) return address;
  const { localPart, domain } = splitAddress(address);
  if (domain === '') return address;
  const isException = yield* ready(settings.masqueradeExceptions.matches(localPart));
  if (typeof isException === 'object') throw lookupError('masquerade_exceptions');
  if (isException === 'yes') return address;
  const name = domain.toLowerCase();
  for (const pattern of settings.masqueradeDomains) {
    const isExempt = pattern.startsWith('!');
    const parent = (isExempt ? pattern.slice(1) : pattern).toLowerCase();
    if (name === parent) return address;
    if (name.endsWith(`.${parent}`)) return isExempt ? address : joinAddress(localPart, parent);
  }
  return address;
}

export type AddressRole = 'envelope_sender' | 'envelope_recipient' | 'header_sender' | 'header_recipient';

/**
 * canonical maps by role, then masquerading, of an address in standard form. The null address is looked up where it is
 * the sender of the envelope.
 */
export function* canonicalise(address: string, role: AddressRole, maps: MessageMaps): Steps<string> {
  const { settings } = maps;
  if (!maps.mapsAddresses || (address === '' && role !== 'envelope_sender')) return address;
  const isSender = role === 'envelope_sender' || role === 'header_sender';
  const own = isSender ? settings.senderCanonical : settings.recipientCanonical;
  const ownClasses = isSender ? settings.senderCanonicalClasses : settings.recipientCanonicalClasses;
  let mapped = address;
  if (!own.list.isEmpty && ownClasses.has(role)) mapped = yield* mapCanonical(mapped, own, maps);
  if (!settings.canonical.list.isEmpty && settings.canonicalClasses.has(role))
    mapped = yield* mapCanonical(mapped, settings.canonical, maps);
  return settings.masqueradeClasses.has(role) ? yield* masquerade(mapped, settings) : mapped;
}

/** Addresses of an expansion that are looked up before others have their turn. */
const atOnce = 500;

/** All addresses that a recipient stands for, in the order they were found. Throws MapError past the limits. virtual(5) */
export function* expandAliases(address: string, maps: MessageMaps): Steps<readonly string[]> {
  const { settings } = maps;
  const { name, list } = settings.virtualAlias;
  if (list.isEmpty || !maps.mapsAddresses) return [address];
  const found = [address];
  const selfExpanded = new Set<string>();
  const tooMuch = (what: string): MapError => new MapError('expansion', `unreasonable ${name} ${what}`);
  for (let at = 0; at < found.length; at += 1) {
    if (at % atOnce === atOnce - 1) yield* ready(setImmediate());
    if (found.length > settings.aliasExpansionLimit) throw tooMuch(`map expansion size for ${address}`);
    for (let depth = 0; ; depth += 1) {
      const current = found[at] ?? '';
      if (selfExpanded.has(current.toLowerCase())) break;
      if (depth >= settings.aliasRecursionLimit) throw tooMuch(`map nesting for ${address}`);
      const targets = yield* mapped(current, settings.virtualAlias, maps.virtualOptions, maps);
      if (targets === undefined) break;
      for (const [index, target] of targets.entries()) {
        if (target.length > settings.aliasLengthLimit) throw tooMuch(`result ${target.slice(0, 300)}...`);
        if (index === 0) found[at] = target;
        else found.push(target);
        // An address may stand for itself, beside others, once.
        if (target.toLowerCase() === current.toLowerCase()) selfExpanded.add(target.toLowerCase());
      }
    }
  }
  return found;
}

/** The address that a bcc table gives, in standard form; undefined when there is none. */
export function* bccFor({ name, list }: NamedTables, address: string, maps: MessageMaps): Steps<string | undefined> {
  if (list.isEmpty || address === '') return undefined;
  const result = yield* ready(findByAddress(list, address, maps.canonicalOptions));
  if (result.kind === 'failed') throw lookupError(name);
  return result.kind === 'found' ? result.value.trim() : undefined;
}
