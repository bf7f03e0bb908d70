/** Tables made of tables: pipemap, unionmap, randmap. DATABASE_README */
import { type MaybePromise, whenReady } from '#message';
import { missing } from './memory-table.ts';
import type { LookupResult, Table } from './table.ts';

function brokenMember(tables: readonly Table[]): string | undefined {
  return tables.find((table) => table.unavailable !== undefined)?.unavailable;
}

/** Who answers for all of them: whoever isn't root, as long as it is one. */
function jointOwner(tables: readonly Table[]): number | undefined {
  const owners = new Set(tables.map(({ owner }) => owner).filter((owner) => owner !== 0));
  const [first = 0] = owners;
  return owners.size > 1 || owners.has(undefined) ? undefined : first;
}

/** The result of each table is the key of the next; any miss is a miss. */
export function pipeTable(name: string, tables: readonly Table[]): Table {
  const step = (key: string, at: number): MaybePromise<LookupResult> => {
    const table = tables[at];
    if (table === undefined) return { kind: 'found', value: key };
    return whenReady(table.lookup(key), (result) => (result.kind === 'found' ? step(result.value, at + 1) : result));
  };
  return {
    name,
    get acceptsPartialKeys() {
      return tables[0]?.acceptsPartialKeys ?? true;
    },
    get owner() {
      return jointOwner(tables);
    },
    get unavailable() {
      return brokenMember(tables);
    },
    lookup: (key) => step(key, 0),
  };
}

/** All results joined with commas. */
export function unionTable(name: string, tables: readonly Table[]): Table {
  const step = (key: string, at: number, values: readonly string[]): MaybePromise<LookupResult> => {
    const table = tables[at];
    if (table === undefined) return values.length === 0 ? missing : { kind: 'found', value: values.join(',') };
    return whenReady(table.lookup(key), (result) => {
      if (result.kind === 'failed') return result;
      return step(key, at + 1, result.kind === 'found' ? [...values, result.value] : values);
    });
  };
  return {
    name,
    get acceptsPartialKeys() {
      return tables.every((table) => table.acceptsPartialKeys);
    },
    get owner() {
      return jointOwner(tables);
    },
    get unavailable() {
      return brokenMember(tables);
    },
    lookup: (key) => step(key, 0, []),
  };
}

/** One of the values, at random. */
export function randomTable(name: string, values: readonly string[], random: () => number): Table {
  return {
    name,
    owner: 0,
    acceptsPartialKeys: false,
    lookup: () => ({ kind: 'found', value: values[Math.floor(random() * values.length)] ?? '' }),
  };
}
