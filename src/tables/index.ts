/** Lookup tables and match lists. */
export type { LookupResult, MatchList, MatchResult, Table, TableList, TableListResult, TableUse } from './table.ts';
