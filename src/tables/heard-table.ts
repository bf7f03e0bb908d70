/** A table with somebody who hears what it answers: `debug:` tables, and what `posthorn explain` is told. */
import { whenReady } from '#message';
import type { LookupResult, Table } from './table.ts';

export interface TableListener {
  /** An answer, when it is there. */
  readonly onLookup: (key: string, result: LookupResult) => void;
  /** An entry, where the table lists them. */
  readonly onEntry?: (key: string, value: string) => void;
}

/** The same table, with all that it says told to the listener; whoever opened it closes it. */
export function heardTable(table: Table, { onLookup, onEntry }: TableListener, name = table.name): Table {
  function* heardEntries(): Iterable<readonly [string, string]> {
    for (const [key, value] of table.entries?.() ?? []) {
      onEntry?.(key, value);
      yield [key, value];
    }
  }
  return {
    name,
    get acceptsPartialKeys() {
      return table.acceptsPartialKeys;
    },
    get owner() {
      return table.owner;
    },
    get unavailable() {
      return table.unavailable;
    },
    lookup: (key) =>
      whenReady(table.lookup(key), (result) => {
        onLookup(key, result);
        return result;
      }),
    ...(table.entries === undefined ? {} : { entries: heardEntries }),
  };
}
