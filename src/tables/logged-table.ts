/** `debug:type:name`: a table that logs every access to it. DATABASE_README */
import { whenReady } from '#message';
import type { LookupResult, Table } from './table.ts';

function shown(result: LookupResult): string {
  switch (result.kind) {
    case 'found':
      return result.value;
    case 'missing':
      return 'not_found';
    case 'failed':
      return 'error';
  }
}

export function loggedTable(name: string, table: Table, log: (text: string) => void): Table {
  return {
    name,
    get acceptsPartialKeys() {
      return table.acceptsPartialKeys;
    },
    get unavailable() {
      return table.unavailable;
    },
    lookup: (key) =>
      whenReady(table.lookup(key), (result) => {
        log(`${table.name} lookup: "${key}" = "${shown(result)}"`);
        return result;
      }),
    *entries() {
      for (const [key, value] of table.entries?.() ?? []) {
        log(`${table.name} sequence: "${key}" = "${value}"`);
        yield [key, value];
      }
    },
  };
}
