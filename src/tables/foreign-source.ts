/** Indexed tables that Postfix itself made, read from their source instead: for commands that only look. */
import { foldCase } from '#address';
import { readAliasSource } from './alias-lines.ts';
import { foreignFormat, headOf, indexPath, type IndexType } from './index-files.ts';
import { mapTable } from './memory-table.ts';
import { readOwned } from './owned-file.ts';
import { readMapSource } from './source-lines.ts';
import type { Table } from './table.ts';

export interface ForeignSource {
  readonly table: Table;
  /** What was read instead of what. */
  readonly note: string;
}

/**
 * The table of the source text of `path`; undefined when the index is no foreign one, or one of both can't be read.
 * `isAlias`: the source is one for postalias(1).
 */
export function openForeignSource(
  type: IndexType,
  path: string,
  { foldKeys, isAlias }: { readonly foldKeys: boolean; readonly isAlias: boolean },
): ForeignSource | undefined {
  const file = indexPath(type, path);
  if (type === 'cdb') return undefined;
  try {
    const format = foreignFormat(headOf(file));
    if (format === undefined) return undefined;
    const entries = new Map<string, string>();
    const { bytes, owner } = readOwned(path);
    for (const item of (isAlias ? readAliasSource : readMapSource)(path, bytes)) {
      if (item.kind === 'warning') continue;
      const key = foldKeys ? foldCase(item.key) : item.key;
      // as postmap does with a key that comes twice
      if (!entries.has(key)) entries.set(key, item.value);
    }
    return {
      table: mapTable(`${type}:${path}`, entries, foldKeys, owner),
      note: `${file} is ${format}: ${path} was read instead; the server needs "${isAlias ? 'postalias' : 'postmap'} ${type}:${path}"`,
    };
  } catch {
    // Whatever can't be read here can't be read as an index either, which says why.
    return undefined;
  }
}
