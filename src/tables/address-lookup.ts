/**
 * Lookups by address: which keys, in which order, and what an address result means. mail_addr_find(3), mail_addr_map(3)
 * in Postfix; canonical(5), virtual(5), "TABLE SEARCH ORDER".
 */
import {
  type AddressToken,
  type ExtensionOptions,
  joinAddress,
  type LocalPartOperators,
  parseAddressList,
  splitAddress,
  splitExtension,
  toExternal,
} from '#address';
import { type MaybePromise, whenReady } from '#message';
import { lookupFirst, type SearchKey } from './table-list.ts';
import type { MatchResult, TableList, TableListResult } from './table.ts';

export interface AddressLookupOptions extends ExtensionOptions {
  readonly recipientDelimiter: string;
  /** $myorigin, or a domain that resolves as local: its addresses are looked up without domain too. */
  readonly isLocalDomain: (domain: string) => MaybePromise<MatchResult>;
}

export type AddressLookupResult =
  /** `extension`: the part with its delimiter that the matching key did not hold. */
  | { readonly kind: 'found'; readonly value: string; readonly extension: string; readonly key: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed'; readonly reason: string; readonly isMistake?: boolean };

interface AddressKey extends SearchKey {
  readonly extension: string;
}

/** With quotes where the grammar wants them, as tables have it; then without, as older tables may. */
function formsOf(address: string): readonly string[] {
  // an empty local-part has quotes too
  const external = toExternal(address) || '""';
  if (address === '') return [external];
  return external === address ? [address] : [external, address];
}

/** U+E@D, U@D, U+E and U (local domains), @D. */
function keysOf(address: string, options: AddressLookupOptions, local: boolean): readonly AddressKey[] {
  const { localPart, domain } = splitAddress(address);
  const split = splitExtension(localPart, options.recipientDelimiter, options);
  const extension = split.delimiter + split.extension;
  const keys = formsOf(address).map((key): AddressKey => ({ key, partial: false, extension: '' }));
  const hasExtension = extension !== '';
  const add = (part: string, left: string): void => {
    for (const key of formsOf(part)) keys.push({ key, partial: true, extension: left });
  };
  if (hasExtension && domain !== '') add(joinAddress(split.user, domain), extension);
  if (local || domain === '') {
    if (domain !== '') add(localPart, '');
    if (hasExtension) add(split.user, extension);
  }
  if (domain !== '') keys.push({ key: `@${domain}`, partial: true, extension: '' });
  return keys;
}

function describe(result: TableListResult, keys: readonly AddressKey[]): AddressLookupResult {
  switch (result.kind) {
    case 'missing':
      return result;
    case 'failed':
      return {
        kind: 'failed',
        reason: `${result.table.name}: ${result.reason}`,
        ...(result.isMistake === true ? { isMistake: true } : {}),
      };
    case 'found':
      return {
        kind: 'found',
        value: result.value,
        key: result.key,
        extension: keys.find(({ key }) => key === result.key)?.extension ?? '',
      };
  }
}

/** Looks an address (internal form) up with all its keys; each key goes to all tables before the next. */
export function findByAddress(
  tables: TableList,
  address: string,
  options: AddressLookupOptions,
): MaybePromise<AddressLookupResult> {
  if (tables.isEmpty) return { kind: 'missing' };
  const { domain } = splitAddress(address);
  const local = domain === '' ? 'yes' : options.isLocalDomain(domain);
  return whenReady(local, (answer): MaybePromise<AddressLookupResult> => {
    if (typeof answer === 'object') return { kind: 'failed', reason: answer.failed };
    const keys = keysOf(address, options, answer === 'yes');
    return whenReady(lookupFirst(tables, keys), (result) => describe(result, keys));
  });
}

export interface AddressMapOptions extends AddressLookupOptions {
  /** Append the unmatched extension to each result (propagate_unmatched_extensions). */
  readonly propagatesExtension: boolean;
  /** Completes results to standard form (append_at_myorigin, append_dot_mydomain). */
  readonly complete: (address: string, localPart?: LocalPartOperators) => string;
}

export type AddressMapResult =
  | { readonly kind: 'mapped'; readonly addresses: readonly string[] }
  | { readonly kind: 'missing' }
  /** `useless`: the value that was found, and holds no address. */
  | { readonly kind: 'failed'; readonly reason: string; readonly useless?: string };

function withExtension(address: string, extension: string): string {
  const { localPart, domain } = splitAddress(address);
  return joinAddress(localPart + extension, domain);
}

/** Maps an address to the addresses that a table gives for it; `@domain` keeps the local part. */
export function mapAddress(
  tables: TableList,
  address: string,
  options: AddressMapOptions,
): MaybePromise<AddressMapResult> {
  return whenReady(findByAddress(tables, address, options), (found): AddressMapResult => {
    if (found.kind !== 'found') return found;
    const { localPart } = splitAddress(address);
    const text = found.value.trim();
    const list: readonly ResultAddress[] =
      text.startsWith('@') && text.length > 1
        ? [{ address: `${toBase(localPart, found.extension)}${text}` }]
        : resultAddresses(parseAddressList(text));
    if (list.length === 0) {
      const reason = `${tables.title}: ${found.key}: non-address result "${text}"`;
      return { kind: 'failed', reason, useless: text };
    }
    const extension = options.propagatesExtension ? found.extension : '';
    return {
      kind: 'mapped',
      addresses: list.map((entry) => {
        const standard = options.complete(entry.address, entry.localPart);
        return extension === '' ? standard : withExtension(standard, extension);
      }),
    };
  });
}

interface ResultAddress {
  readonly address: string;
  readonly localPart?: LocalPartOperators;
}

/** `<>` gives the null address. */
function resultAddresses(tokens: readonly AddressToken[]): readonly ResultAddress[] {
  return tokens.flatMap((token, index) => {
    if (token.kind === 'address') return [token];
    const next = tokens[index + 1];
    const isNull = token.kind === 'operator' && token.text === '<' && next?.kind === 'operator' && next.text === '>';
    return isNull ? [{ address: '' }] : [];
  });
}

function toBase(localPart: string, extension: string): string {
  return extension !== '' && localPart.endsWith(extension) ? localPart.slice(0, -extension.length) : localPart;
}
