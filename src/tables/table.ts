/** Lookup tables as their users see them. postconf(5), DATABASE_README. */
import type { MaybePromise } from '#message';

/** Not found and failed are never the same: a failure is a temporary error everywhere. */
export type LookupResult =
  | { readonly kind: 'found'; readonly value: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed'; readonly reason: string };

/** One opened table, `type:name`. Answers from memory without a promise. */
export interface Table {
  /** As written: `hash:/etc/postfix/access`. */
  readonly name: string;
  /** Pattern tables (regexp, pcre, cidr, static, tcp, socketmap, randmap) get full keys only. */
  readonly acceptsPartialKeys: boolean;
  lookup(key: string): MaybePromise<LookupResult>;
  /**
   * Whose word the answers are that it gives now: the uid of who owns the file they come from, 0 for what stands in
   * main.cf or is the system's. Undefined when that can't be told.
   */
  readonly owner?: number | undefined;
  /** Why the table can't be opened now; each lookup of such a table fails. */
  readonly unavailable?: string | undefined;
  /** All entries, of tables that can list them (`postmap -s`). */
  entries?(): Iterable<readonly [string, string]>;
  close?(): void;
}

/** How a table is used; from Postfix's DICT_FLAG_*. */
export interface TableUse {
  /** Security-sensitive: no `$n` substitution, no proxy, no network without authentication (alias_maps, uid maps). */
  readonly paranoid?: boolean;
  /** No `$n` substitution in results (transport maps). */
  readonly noSubstitution?: boolean;
  /** An empty result of a list is one, not a mistake in the table (commands and replies that are replaced). */
  readonly allowsEmpty?: boolean;
  /** Keys and values may be any bytes, as lines of mail are, by `textOf`; elsewhere they are UTF-8. */
  readonly anyBytes?: boolean;
  /** Lower-case keys for fixed-string tables (default true). */
  readonly foldKeys?: boolean;
}

/** Several tables searched in order: each key is tried in all of them (maps_find). */
export interface TableList {
  /** The parameter, for log lines. */
  readonly title: string;
  readonly isEmpty: boolean;
  readonly tables: readonly Table[];
  /** `partial`: a derived key, skipped by pattern tables. */
  lookup(key: string, partial?: boolean): MaybePromise<TableListResult>;
}
export type TableListResult =
  | { readonly kind: 'found'; readonly value: string; readonly table: Table; readonly key: string }
  | { readonly kind: 'missing' }
  | {
      readonly kind: 'failed';
      readonly reason: string;
      /** What the table says makes no sense, and will not tomorrow. */
      readonly isMistake?: true;
      readonly table: Table;
      readonly key: string;
    };

/** A membership list (mydestination, mynetworks, relay_domains …): match lists of postconf(5). */
export interface MatchList {
  readonly isEmpty: boolean;
  /** `key` is a name (string_list, domain_list) or a host; `address` only for namadr lists. */
  matches(key: string, address?: string): MaybePromise<MatchResult>;
}
export type MatchResult = 'yes' | 'no' | { readonly failed: string };
