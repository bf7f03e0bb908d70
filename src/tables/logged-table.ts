/** `debug:type:name`: a table that logs every access to it. DATABASE_README */
import { heardTable } from './heard-table.ts';
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
  const listener = {
    onLookup: (key: string, result: LookupResult) => log(`${table.name} lookup: "${key}" = "${shown(result)}"`),
    onEntry: (key: string, value: string) => log(`${table.name} sequence: "${key}" = "${value}"`),
  };
  return heardTable(table, listener, name);
}
