/** Several tables as one: every key is tried in all of them before the next key (maps_find in Postfix). */
import { type MaybePromise, whenReady } from '#message';
import type { LookupResult, Table, TableList, TableListResult } from './table.ts';

const missing: TableListResult = { kind: 'missing' };

export interface TableListOptions {
  /** Hears of each lookup that fails, so that who asks needn't tell. */
  readonly warn: (text: string) => void;
  readonly allowsEmpty?: boolean;
  /** Keys that are no UTF-8 are looked up, too. */
  readonly allowsAnyBytes?: boolean;
}

/** A table with nothing to say of a key has no entry for it; one without a result is a mistake. */
export function warnOfEmpty(title: string, key: string, warn: (text: string) => void): void {
  warn(`${title} lookup of ${key} returns an empty string result`);
  warn(`${title} should return NO RESULT in case of NOT FOUND`);
}

export function createTableList(
  title: string,
  tables: readonly Table[],
  { warn, allowsEmpty = false, allowsAnyBytes = false }: TableListOptions,
): TableList {
  const judge = (answer: Exclude<LookupResult, { kind: 'missing' }>, table: Table, key: string): TableListResult => {
    if (answer.kind === 'failed') warn(`${table.name} lookup error for "${key}"`);
    if (answer.kind === 'failed' || answer.value !== '' || allowsEmpty) return { ...answer, table, key };
    warnOfEmpty(title, key, warn);
    return { kind: 'failed', reason: 'empty string result', isMistake: true, table, key };
  };
  const isUsable = (key: string): boolean => {
    if (allowsAnyBytes || key.isWellFormed()) return true;
    for (const { name } of tables) warn(`${name}: non-UTF-8 key "${key}": malformed UTF-8 or invalid codepoint`);
    return false;
  };
  const search = (key: string, partial: boolean, from: number): MaybePromise<TableListResult> => {
    for (let i = from; i < tables.length; i += 1) {
      const table = tables[i];
      if (table === undefined || (partial && !table.acceptsPartialKeys)) continue;
      const answer = table.lookup(key);
      if (answer instanceof Promise) {
        return answer.then((result) =>
          result.kind === 'missing' ? search(key, partial, i + 1) : judge(result, table, key),
        );
      }
      if (answer.kind !== 'missing') return judge(answer, table, key);
    }
    return missing;
  };
  return {
    title,
    tables,
    isEmpty: tables.length === 0,
    lookup: (key, partial = false) => (isUsable(key) ? search(key, partial, 0) : missing),
  };
}

/** One key of a search; `partial` keys are derived and go to fixed-string tables only. */
export interface SearchKey {
  readonly key: string;
  readonly partial: boolean;
}

/** The first key that any table answers. */
export function lookupFirst(list: TableList, keys: readonly SearchKey[], from = 0): MaybePromise<TableListResult> {
  for (let i = from; i < keys.length; i += 1) {
    const key = keys[i];
    if (key === undefined) break;
    const answer = list.lookup(key.key, key.partial);
    if (answer instanceof Promise) {
      return whenReady(answer, (result) => (result.kind === 'missing' ? lookupFirst(list, keys, i + 1) : result));
    }
    if (answer.kind !== 'missing') return answer;
  }
  return missing;
}
