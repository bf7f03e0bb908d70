/** An onlooker to lookups, for commands that explain what tables answered. Tables without one are not wrapped. */
import { whenReady } from '#message';
import type { LookupResult, MatchResult, Table } from './table.ts';

/** A lookup, when its answer is there. */
export type TableQuestion =
  | { readonly kind: 'table'; readonly table: string; readonly key: string; readonly result: LookupResult }
  /** A membership list; `element`: the one that decided, as written. */
  | {
      readonly kind: 'list';
      readonly parameter: string;
      readonly keys: readonly string[];
      readonly element: string | undefined;
      readonly result: MatchResult;
    };

export type TableObserver = (question: TableQuestion) => void;

/** The table, with each lookup told to the observer. */
export function observedTable(table: Table, observe: TableObserver): Table {
  return {
    name: table.name,
    get acceptsPartialKeys() {
      return table.acceptsPartialKeys;
    },
    get unavailable() {
      return table.unavailable;
    },
    lookup: (key) =>
      whenReady(table.lookup(key), (result) => {
        observe({ kind: 'table', table: table.name, key, result });
        return result;
      }),
    ...(table.entries === undefined ? {} : { entries: () => table.entries?.() ?? [] }),
    close: () => table.close?.(),
  };
}
