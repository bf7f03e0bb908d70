/** Which keys a name, an address or a mail address is looked up by in access(5) tables, in which order. */
import { foldCase, parseIp, splitAddress, splitExtension, toExternal } from '#address';
import type { MaybePromise } from '#message';
import type { LookupResult, Table } from '#tables';
import type { KeyStyle, RestrictionSettings } from './settings.ts';

/** The keys of one thing; the first is it itself, most others are derived and go to fixed-string tables only. */
export interface Keys {
  /** What they are about, for warnings. */
  readonly datum: string;
  readonly keys: readonly string[];
  /** How many of them are the thing itself; 1 when not given. */
  readonly whole?: number;
}

/** The keys of `about`, worked out once a stage. */
export function remembered(known: Map<string, Keys>, about: string, make: () => Keys): Keys {
  let keys = known.get(about);
  if (keys === undefined) known.set(about, (keys = make()));
  return keys;
}

/** A name and its parent domains. */
export function domainKeys(domain: string, style: KeyStyle): Keys {
  const keys = domain === '' ? [] : [domain];
  if (parseIp(domain) !== undefined || domain.startsWith('[')) return { datum: domain, keys };
  for (let dot = domain.indexOf('.', 1); dot >= 0; dot = domain.indexOf('.', dot + 1)) {
    const key = domain.slice(style === 'parents' ? dot + 1 : dot);
    if (key === '') break;
    keys.push(key);
  }
  return { datum: domain, keys };
}

/** An address and the networks at its octets or groups. */
export function addressKeys(address: string): Keys {
  const separator = address.includes(':') ? ':' : '.';
  const keys = [address];
  for (let at = address.lastIndexOf(separator); at >= 0; at = address.lastIndexOf(separator, at - 1)) {
    keys.push(address.slice(0, at));
    if (at === 0) break;
  }
  return { datum: address, keys };
}

/** With quotes where the grammar wants them, as tables have it; then without, as older tables may. */
function formsOf(address: string): readonly string[] {
  const external = toExternal(address);
  return external === address ? [address] : [external, address];
}

/** A mail address in its final form, in lower case for every kind of table: with and without extension, its domain and the parents, its local part. */
export function mailKeys(address: string, compiled: Pick<RestrictionSettings, 'extension' | 'keyStyle'>): Keys {
  const folded = foldCase(address);
  const { localPart, domain } = splitAddress(folded);
  const rules = compiled.extension;
  const { user, delimiter } = splitExtension(localPart, rules.recipientDelimiter, rules);
  const keys = [...formsOf(folded)];
  const whole = keys.length;
  if (delimiter !== '' && domain !== '') keys.push(...formsOf(`${user}@${domain}`));
  if (domain !== '') keys.push(...domainKeys(domain, compiled.keyStyle).keys);
  keys.push(...formsOf(localPart).map((form) => `${form}@`));
  if (delimiter !== '') keys.push(...formsOf(user).map((form) => `${form}@`));
  return { datum: address, keys, whole };
}

export type Answer = LookupResult & { readonly key: string };

/** The first key that the table answers, or fails at. */
export function search(table: Table, { keys, whole = 1 }: Keys, from = 0): MaybePromise<Answer> {
  for (let i = from; i < keys.length; i += 1) {
    const key = keys[i];
    if (key === undefined || (i >= whole && !table.acceptsPartialKeys)) continue;
    const answer = table.lookup(key);
    if (answer instanceof Promise) {
      return answer.then((result) =>
        result.kind === 'missing' ? search(table, { datum: '', keys, whole }, i + 1) : { ...result, key },
      );
    }
    if (answer.kind !== 'missing') return { ...answer, key };
  }
  return { kind: 'missing', key: '' };
}
