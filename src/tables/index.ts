/** Lookup tables and match lists. */
export {
  type AddressLookupOptions,
  type AddressMapOptions,
  type AddressMapResult,
  findByAddress,
  mapAddress,
} from './address-lookup.ts';
export { readAliasSource } from './alias-lines.ts';
export { changeIndex, type FileRights, type IndexChanges, writeIndex } from './index-changes.ts';
export { indexPath, type IndexType, isIndexType } from './index-files.ts';
export { type Cache, openCache } from './cache.ts';
export { type CacheSettings, cacheTable, readCacheSettings } from './cache-place.ts';
export { ProxyApproval } from './proxy-approval.ts';
export { type CacheCleanupOptions, keepCacheClean } from './cache-cleanup.ts';
export { readNetwork } from './networks.ts';
export type { TableObserver, TableQuestion } from './observer.ts';
export { TableOpener, type TableOpenerOptions } from './opener.ts';
export { copySecretFiles, isForRootOnly, noCopies, pathOf, type TableCopies, type TableFile } from './file-reader.ts';
export { tableFileProblems, type TableFileProblem, tableFilesOf, unreadable } from './table-files.ts';
export { isTableType, namesFiles, tableTypes } from './table-types.ts';
export { readMapSource, type SourceItem } from './source-lines.ts';
export { createTableList, lookupFirst, type SearchKey, warnOfEmpty } from './table-list.ts';
export type { LookupResult, MatchList, MatchResult, Table, TableList, TableListResult, TableUse } from './table.ts';
export { type SenderRight, senderRight } from './login-senders.ts';
export { refusedUser } from './user-list.ts';
export { redirectedTable } from './redirection.ts';
