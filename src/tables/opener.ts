/** Opens tables by `type:name`, lists of them, and match lists. One opener a process; it closes what it opened. */
import { type ListElement, type Settings, splitList } from '#config';
import { insideBraces } from './braces.ts';
import { pipeTable, randomTable, unionTable } from './composite-tables.ts';
import { ownRights, type TableCopies, type TableFileReader, withCopies } from './file-reader.ts';
import { openForeignSource } from './foreign-source.ts';
import { type IndexType, isIndexType } from './index-files.ts';
import { indexedTable } from './indexed-table.ts';
import { LateTables } from './late-tables.ts';
import { loggedTable } from './logged-table.ts';
import { createMatchList, type MatchKind } from './match-list.ts';
import {
  environmentTable,
  failingTable,
  inlineTable,
  missing,
  staticTable,
  textTable,
  unavailableTable,
} from './memory-table.ts';
import { observedTable, type TableObserver } from './observer.ts';
import { ProxyApproval, proxiedName } from './proxy-approval.ts';
import { cidrTable } from './cidr-table.ts';
import { pcreTable, regexpTable } from './expression-tables.ts';
import { redirectedTable } from './redirection.ts';
import { socketmapTable } from './socketmap-table.ts';
import { sqliteTable } from './sqlite-table.ts';
import { createTableList } from './table-list.ts';
import { tcpTable } from './tcp-table.ts';
import type { MatchList, Table, TableList, TableUse } from './table.ts';
import { unixTable } from './unix-table.ts';

export interface TableOpenerOptions {
  readonly settings: Settings;
  readonly configDirectory: string;
  readonly warn: (text: string) => void;
  /** Told once of each table that can't be opened (`error:` in Postfix's log). Default: only lookups say it. */
  readonly error?: (text: string) => void;
  /** Told of what is no trouble: what `debug:` tables are asked, and redirections. */
  readonly note?: (text: string) => void;
  /** Commands only warn of a key that comes twice in a `texthash:` file. */
  readonly allowsDuplicates?: boolean;
  /** What proxymap(8) reads proxy_read_maps of; default: `settings`. */
  readonly proxySettings?: Settings;
  /** Warns in the name of proxymap(8); default: `warn`. */
  readonly proxyWarn?: (text: string) => void;
  /** What root has read ahead. */
  readonly copies?: TableCopies;
  /** Tables are opened when the first of them is asked. */
  readonly isLate?: boolean;
  /** Told of every lookup and match. */
  readonly observe?: TableObserver;
  /** Given: an index that Postfix itself made is no failure but read from its source; told what was read. */
  readonly onForeignSource?: (note: string) => void;
}

export class TableOpener {
  readonly #options: TableOpenerOptions;
  readonly #opened = new Map<string, Table>();
  readonly #late: LateTables | undefined;
  readonly #approval: ProxyApproval;
  readonly #files: TableFileReader;

  constructor(options: TableOpenerOptions) {
    this.#options = options;
    this.#approval = new ProxyApproval(options.proxySettings ?? options.settings, 'proxy_read_maps');
    this.#files = options.copies === undefined ? ownRights : withCopies(options.copies);
    this.#late = options.isLate === true ? new LateTables() : undefined;
  }

  /** Opens `type:name`; the same table once. What can't be opened fails each lookup. */
  open(spec: string, use: TableUse = {}): Table {
    const flags = [use.paranoid === true, use.noSubstitution === true, use.foldKeys !== false, use.anyBytes === true];
    const key = JSON.stringify([spec, ...flags]);
    const known = this.#opened.get(key);
    if (known !== undefined) return known;
    const { observe } = this.#options;
    const open = (): Table => {
      const opened = this.#openNew(spec, use);
      return typeof opened === 'string' ? this.#unavailable(spec, opened) : opened;
    };
    const found = this.#late === undefined ? open() : this.#late.add(spec, open);
    const table = observe === undefined ? found : observedTable(found, observe);
    this.#opened.set(key, table);
    return table;
  }

  #unavailable(name: string, reason: string): Table {
    this.#options.error?.(reason);
    return unavailableTable(name, reason, this.#options.warn);
  }

  /** What stands for a file of a list that can't be read; told once. */
  #unreadableFile(path: string, reason: string): Table {
    const name = `non-existent:${path}`;
    const table = this.#opened.get(name) ?? this.#unavailable(name, reason);
    this.#opened.set(name, table);
    return table;
  }

  /** The table, or why it can't be opened. */
  #openNew(spec: string, use: TableUse): Table | string {
    const { warn, settings } = this.#options;
    const foldKeys = use.foldKeys !== false;
    const { type, name } = redirectedTable(spec, settings, (text) => this.#options.note?.(text));
    if (type === '' || name === '') return `open dictionary: expecting "type:name" form instead of "${spec}"`;
    if (isIndexType(type)) return this.#openIndexed(type, name, foldKeys);
    switch (type) {
      case 'texthash':
        return textTable(spec, name, foldKeys, this.#options.allowsDuplicates === true, this.#files, warn);
      case 'inline':
        return inlineTable(spec, name, foldKeys);
      case 'static':
        return staticTable(spec, name);
      case 'regexp':
        return regexpTable(spec, name, use, this.#files, warn);
      case 'pcre':
        return pcreTable(spec, name, use, this.#files, warn);
      case 'cidr':
        return cidrTable(spec, name, this.#files, warn);
      case 'unix':
        return unixTable(spec, name, foldKeys);
      case 'fail':
        return failingTable(spec, 'Application error');
      case 'internal':
        return { name: spec, owner: 0, acceptsPartialKeys: true, lookup: () => missing, entries: () => [] };
      case 'environ':
        return environmentTable(spec, foldKeys);
      case 'sqlite':
        return sqliteTable(spec, name, {
          settings,
          foldKeys,
          files: this.#files,
          warn,
          domainList: (words) =>
            this.matchList(
              'domain',
              'string',
              splitList(words).map((text) => ({ text })),
            ),
        });
      case 'socketmap':
        if (use.paranoid === true) return `${spec} map is not allowed for security-sensitive data`;
        return socketmapTable(spec, name, {
          maxReplySize: settings.int('socketmap_max_reply_size'),
          maxQuerySize: settings.int('socketmap_max_query_size'),
          queueDirectory: settings.string('queue_directory'),
          warn,
        });
      case 'tcp':
        if (use.paranoid === true) return `${spec} map is not allowed for security sensitive data`;
        return tcpTable(spec, name, warn);
      case 'proxy':
        return this.#openProxied(spec, name, use);
      case 'debug':
        if (!name.includes(':')) return `bad syntax: "${spec}"; need "debug:type:name"`;
        return loggedTable(spec, this.open(name, use), (text) => this.#options.note?.(text));
      case 'pipemap':
      case 'unionmap':
        return this.#openCombined(spec, type, name, use);
      case 'randmap': {
        const values = splitList(insideBraces(name) ?? '');
        return values.length === 0
          ? `bad syntax: "${spec}"; need "randmap:{value...}"`
          : randomTable(spec, values, Math.random);
      }
      default:
        return `unsupported dictionary type: ${type}`;
    }
  }

  /** A file that isn't there now may come later. */
  #openIndexed(type: IndexType, name: string, foldKeys: boolean): Table {
    const { onForeignSource, settings } = this.#options;
    if (onForeignSource !== undefined) {
      const isAlias = ['alias_maps', 'alias_database'].some((list) => settings.list(list).includes(`${type}:${name}`));
      const foreign = openForeignSource(type, name, { foldKeys, isAlias });
      if (foreign !== undefined) {
        onForeignSource(foreign.note);
        return foreign.table;
      }
    }
    const { warn } = this.#options;
    const table = indexedTable({ name: `${type}:${name}`, type, path: name, foldKeys, files: this.#files, warn });
    if (table.unavailable !== undefined) this.#options.error?.(table.unavailable);
    return table;
  }

  /** There is no process between us and the table, so `proxy:` is the table itself under its full name. */
  #openProxied(spec: string, name: string, use: TableUse): Table | string {
    const { warn, proxyWarn = warn } = this.#options;
    const refusal = use.paranoid === true ? undefined : this.#approval.refusal(proxiedName(name), proxyWarn);
    if (refusal !== undefined) return refusal;
    const table = this.open(name, use);
    return {
      name: use.paranoid === true ? table.name : spec,
      acceptsPartialKeys: table.acceptsPartialKeys,
      get owner() {
        return table.owner;
      },
      get unavailable() {
        return table.unavailable;
      },
      lookup: (key) => table.lookup(key),
    };
  }

  #openCombined(spec: string, type: 'pipemap' | 'unionmap', name: string, use: TableUse): Table | string {
    const specs = splitList(insideBraces(name) ?? '');
    if (specs.length === 0 || specs.some((member) => !member.includes(':'))) {
      return `bad syntax: "${spec}"; need "${type}:{type:name...}"`;
    }
    const tables = specs.map((member) => this.open(member, use));
    return type === 'pipemap' ? pipeTable(spec, tables) : unionTable(spec, tables);
  }

  /** Several tables, searched in order for each key. `title`: what warnings call the list; its tables when not given. */
  list(text: string | readonly ListElement[], forUse: TableUse = {}, title?: string): TableList {
    // without smtputf8_enable nothing has to be UTF-8
    const use = this.#options.settings.bool('smtputf8_enable') ? forUse : { ...forUse, anyBytes: true };
    const specs = typeof text === 'string' ? splitList(text) : text.map((element) => element.text);
    return createTableList(
      title ?? specs.join(' '),
      specs.map((spec) => this.open(spec, use)),
      { warn: this.#options.warn, allowsEmpty: use.allowsEmpty === true, allowsAnyBytes: use.anyBytes === true },
    );
  }

  /** The tables that a parameter names. */
  listOf(parameter: string, use: TableUse = {}): TableList {
    return this.list(this.#options.settings.elements(parameter), use, parameter);
  }

  /** A membership list. `parameter` decides about parent domains (parent_domain_matches_subdomains). */
  matchList(parameter: string, kind: MatchKind, elements: readonly ListElement[]): MatchList {
    const { settings, warn, observe } = this.#options;
    return createMatchList({
      observe,
      parameter,
      kind,
      elements,
      matchesParents: settings.list('parent_domain_matches_subdomains').includes(parameter),
      open: (spec) => this.open(spec),
      unreadableFile: (path, reason) => this.#unreadableFile(path, reason),
      files: this.#files,
      warn,
    });
  }

  closeAll(): void {
    if (this.#late?.areOpen === false) return;
    for (const table of this.#opened.values()) table.close?.();
    this.#opened.clear();
  }
}
