/** Answers that hold for a moment, where asking costs more than the rest of a command and holds up everything else. */
import { BoundedMemory } from '#message';
import type { LookupResult, Table } from './table.ts';

/** As long as an index file is believed without a look at it. */
const ttlMs = 50;
const maxEntries = 1000;

/**
 * A table that gives the answers of another one for 50 ms; failures are not kept. For a name it doesn't know, for
 * example, the system asks all services of nsswitch.conf(5). `now`: ms, of a clock that only goes forward.
 */
export function remembered(
  table: Omit<Table, 'lookup'> & { readonly lookup: (key: string) => LookupResult },
  now: () => number = () => performance.now(),
): Table {
  const memory = new BoundedMemory<LookupResult>({ ttlMs, maxEntries, now });
  return {
    ...table,
    lookup(key) {
      const known = memory.get(key);
      if (known !== undefined) return known;
      const answer = table.lookup(key);
      if (answer.kind !== 'failed') memory.set(key, answer);
      return answer;
    },
  };
}
