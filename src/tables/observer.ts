/** An onlooker to lookups, for commands that explain what tables answered. Tables without one are not wrapped. */
import { heardTable } from './heard-table.ts';
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
  const observed = heardTable(table, {
    onLookup: (key, result) => observe({ kind: 'table', table: table.name, key, result }),
  });
  return Object.assign(observed, { close: () => table.close?.() });
}
