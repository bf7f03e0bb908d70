/** `sqlite:` tables: each lookup is a query. sqlite_table(5) */
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { thrownText } from '#native';
import type { TableFileReader } from './file-reader.ts';
import type { DatabaseSync } from 'node:sqlite';
import { foldCase } from '#address';
import type { Settings } from '#config';
import { type MaybePromise, whenReady } from '#message';
import { type ClientFile, emptyParameter, readClientFile, readClientNumber } from './client-file.ts';
import { missing } from './memory-table.ts';
import { expandTemplate, parseTemplate, type QueryTemplate } from './query-template.ts';
import type { LookupResult, MatchList, Table } from './table.ts';

/** How long a database that was put in another's place may go unnoticed. */
const recheckMs = 1000;
const lockWaitMs = 10_000;
const require = createRequire(import.meta.url);

interface SqliteOptions {
  readonly name: string;
  readonly file: ClientFile;
  readonly path: string;
  readonly query: QueryTemplate;
  readonly resultFormat: QueryTemplate;
  /** 0: any number of results. */
  readonly expansionLimit: number;
  /** Only addresses in these domains are asked for. */
  readonly domains: MatchList | undefined;
  readonly foldKeys: boolean;
  readonly warn: (text: string) => void;
}

interface Opened {
  readonly database: DatabaseSync;
  readonly inode: number;
}

/** Quotes within a quoted text of SQL. */
const quoteSql = (text: string): string => text.replaceAll("'", "''");

class SqliteTable implements Table {
  readonly name: string;
  readonly acceptsPartialKeys = true;
  readonly #options: SqliteOptions;
  #opened: Opened;
  #checkedAt = performance.now();

  /** Whoever wrote the query. */
  get owner(): number {
    return this.#options.file.owner;
  }

  constructor(options: SqliteOptions) {
    this.name = options.name;
    this.#options = options;
    this.#opened = openDatabase(options.path);
  }

  lookup(text: string): MaybePromise<LookupResult> {
    const { domains, foldKeys } = this.#options;
    const key = foldKeys ? foldCase(text) : text;
    if (domains === undefined) return this.#ask(key);
    const at = key.lastIndexOf('@');
    if (at < 0 || at === key.length - 1) return missing;
    return whenReady(domains.matches(key.slice(at + 1)), (answer): LookupResult => {
      if (answer === 'no') return missing;
      return answer === 'yes' ? this.#ask(key) : { kind: 'failed', reason: answer.failed };
    });
  }

  close(): void {
    this.#opened.database.close();
  }

  #ask(key: string): LookupResult {
    const { query, resultFormat, expansionLimit, file, warn } = this.#options;
    const sql = expandTemplate(query, key, key, quoteSql);
    if (sql === undefined) return missing;
    const results: string[] = [];
    try {
      this.#refresh();
      const statement = this.#opened.database.prepare(sql);
      statement.setReturnArrays(true);
      statement.setReadBigInts(true);
      for (const row of statement.iterate()) {
        const column = firstColumn(row);
        if (column === '') warn(`table "${this.name}": empty lookup result for: "${key}" -- ignored`);
        const result = column === undefined ? undefined : expandTemplate(resultFormat, column, key);
        if (result === undefined) continue;
        results.push(result);
        if (expansionLimit === 0 || results.length <= expansionLimit) continue;
        warn(`dict_sqlite_lookup: ${file.name}: Expansion limit exceeded for key '${key}'`);
        // What the library left in errno when it looked for a journal is what Postfix tells.
        return { kind: 'failed', reason: 'No such file or directory' };
      }
    } catch (error) {
      const reason = thrownText(error);
      warn(`dict_sqlite_lookup: ${file.name}: SQL query failed: ${reason}`);
      return { kind: 'failed', reason };
    }
    return results.length === 0 ? missing : { kind: 'found', value: results.join(',') };
  }

  #refresh(): void {
    const now = performance.now();
    if (now - this.#checkedAt < recheckMs) return;
    this.#checkedAt = now;
    const { path } = this.#options;
    if (statSync(path).ino === this.#opened.inode) return;
    // the old one stays as long as the new one can't be opened: it would have to be closed again
    const opened = openDatabase(path);
    this.#opened.database.close();
    this.#opened = opened;
  }
}

/** Undefined: NULL. */
function firstColumn(row: unknown): string | undefined {
  const value: unknown = Array.isArray(row) ? row[0] : undefined;
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  return typeof value === 'string' || typeof value === 'bigint' || typeof value === 'number'
    ? String(value)
    : undefined;
}

/** node:sqlite is loaded when the first such table is opened. */
function openDatabase(path: string): Opened {
  const sqlite: typeof import('node:sqlite') = require('node:sqlite');
  const database = new sqlite.DatabaseSync(path, { readOnly: true, timeout: lockWaitMs });
  return { database, inode: statSync(path).ino };
}

/** The query, or what the parameters from before there was one make of it; a parameter that is missing. */
function queryOf(file: ClientFile): { readonly query: string } | { readonly missing: string } {
  const query = file.get('query') ?? '';
  if (query !== '') return { query };
  const part = (parameter: string): string => file.get(parameter) ?? '';
  const absent = ['table', 'select_field', 'where_field'].find((parameter) => part(parameter) === '');
  if (absent !== undefined) return { missing: absent };
  const where = `SELECT ${part('select_field')} FROM ${part('table')} WHERE ${part('where_field')} = '%s'`;
  return { query: `${where} ${part('additional_conditions')}` };
}

export interface SqliteTableOptions {
  readonly settings: Settings;
  readonly foldKeys: boolean;
  readonly files: TableFileReader;
  readonly warn: (text: string) => void;
  /** The list of domains that `domain` gives. */
  readonly domainList: (words: string) => MatchList;
}

/** Whether a key is to stand between double quotes; a quote in a key is doubled for single ones only. */
function quotesKeyTwice(query: string): boolean {
  const quoted = query.replaceAll('%%', '').match(/'[^']*'|"[^"]*"/g) ?? [];
  return quoted.some((text) => text.startsWith('"') && text.includes('%'));
}

/** A text says why it can't be opened. */
export function sqliteTable(name: string, path: string, options: SqliteTableOptions): Table | string {
  const { settings, files, warn, foldKeys } = options;
  const file = readClientFile(path, settings, files, warn);
  if (typeof file === 'string') return file;
  const database = file.get('dbpath') ?? '';
  if (database === '') return emptyParameter(file, 'dbpath');
  const found = queryOf(file);
  if ('missing' in found) return emptyParameter(file, found.missing);
  const queryText = found.query;
  const formatText = file.get('result_format') ?? '%s';
  const query = parseTemplate(queryText);
  const resultFormat = parseTemplate(formatText);
  if (query === undefined) return `db_common_parse: ${file.name}: Invalid query template: ${queryText}`;
  if (quotesKeyTwice(queryText)) {
    warn(`${name}: the query has a key in double quotes; only single quotes keep SQL out of a key`);
  }
  if (resultFormat === undefined) return `db_common_parse: ${file.name}: Invalid result template: ${formatText}`;
  const expansionLimit = readClientNumber(file, 'expansion_limit', 0, 0);
  if (typeof expansionLimit === 'string') return expansionLimit;
  const domains = file.get('domain') ?? '';
  try {
    return new SqliteTable({
      name,
      file,
      path: database,
      query,
      resultFormat,
      expansionLimit,
      domains: domains === '' ? undefined : options.domainList(domains),
      foldKeys,
      warn,
    });
  } catch (error) {
    return `${name}: Can't open database: ${thrownText(error)}`;
  }
}
