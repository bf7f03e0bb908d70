/** Lookup tables and match lists. */
export {
  type AddressLookupOptions,
  type AddressLookupResult,
  type AddressMapOptions,
  type AddressMapResult,
  findByAddress,
  mapAddress,
} from './address-lookup.ts';
export { readAliasFile } from './alias-lines.ts';
export { fileFormat, readIndexedFile, writeIndexedFile } from './indexed-file.ts';
export type { MatchKind } from './match-list.ts';
export { errnoText } from './memory-table.ts';
export { TableOpener, type TableOpenerOptions, tableTypes } from './opener.ts';
export { readSourceFile, type SourceEntry, type SourceFile } from './source-lines.ts';
export { lookupFirst, type SearchKey } from './table-list.ts';
export type { LookupResult, MatchList, MatchResult, Table, TableList, TableListResult, TableUse } from './table.ts';
