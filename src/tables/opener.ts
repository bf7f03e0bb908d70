/** Opens tables by `type:name`, lists of them, and match lists. One opener a process; it closes what it opened. */
import { type ListElement, type Settings, splitList } from '#config';
import { pipeTable, randomTable, unionTable } from './composite-tables.ts';
import { indexedTable } from './indexed-file.ts';
import { createMatchList, type MatchKind } from './match-list.ts';
import { failingTable, inlineTable, missing, staticTable, textTable, unixTable } from './memory-table.ts';
import { cidrTable, pcreTable, regexpTable } from './pattern-tables.ts';
import { createTableList } from './table-list.ts';
import type { MatchList, Table, TableList, TableUse } from './table.ts';

export interface TableOpenerOptions {
  readonly settings: Settings;
  readonly configDirectory: string;
  readonly warn: (text: string) => void;
}

/** Types that Postfix has and this version opens only to refuse each lookup. */
const absentTypes = new Set([
  'ldap',
  'mysql',
  'pgsql',
  'sqlite',
  'mongodb',
  'memcache',
  'lmdb',
  'cdb',
  'dbm',
  'sdbm',
  'nis',
  'nisplus',
  'netinfo',
  'tcp',
  'socketmap',
]);

/** Names of the table types that can be opened, for `postconf -m`. */
export const tableTypes: readonly string[] = [
  'btree',
  'cidr',
  'environ',
  'fail',
  'hash',
  'inline',
  'internal',
  'pcre',
  'pipemap',
  'proxy',
  'randmap',
  'regexp',
  'static',
  'texthash',
  'unionmap',
  'unix',
];

export class TableOpener {
  readonly #options: TableOpenerOptions;
  readonly #opened = new Map<string, Table>();

  constructor(options: TableOpenerOptions) {
    this.#options = options;
  }

  /** Opens `type:name`; the same table once. What can't be opened fails each lookup. */
  open(spec: string, use: TableUse = {}): Table {
    const key = JSON.stringify([spec, use.paranoid === true, use.noSubstitution === true, use.foldKeys !== false]);
    const known = this.#opened.get(key);
    if (known !== undefined) return known;
    const table = this.#openNew(spec, use);
    this.#opened.set(key, table);
    return table;
  }

  #openNew(spec: string, use: TableUse): Table {
    const colon = spec.indexOf(':');
    const warn = this.#options.warn;
    const foldKeys = use.foldKeys !== false;
    const type = colon < 0 ? this.#options.settings.string('default_database_type') : spec.slice(0, colon);
    const name = colon < 0 ? spec : spec.slice(colon + 1);
    switch (type) {
      case 'hash':
      case 'btree':
        return indexedTable(spec, name, foldKeys, warn);
      case 'texthash':
        return textTable(spec, name, foldKeys, warn);
      case 'inline':
        return inlineTable(spec, name, foldKeys);
      case 'static':
        return staticTable(spec, name);
      case 'regexp':
        return regexpTable(spec, name, use, warn);
      case 'pcre':
        return pcreTable(spec, name, use, warn);
      case 'cidr':
        return cidrTable(spec, name, use, warn);
      case 'unix':
        return unixTable(spec, name);
      case 'fail':
        return failingTable(spec, 'unavailable');
      case 'internal':
        return { name: spec, acceptsPartialKeys: true, lookup: () => missing };
      case 'environ':
        return environmentTable(spec);
      case 'proxy':
        return use.paranoid === true ? this.open(name, use) : { ...this.open(name, use), name: spec };
      case 'pipemap':
        return pipeTable(spec, this.#members(name, use));
      case 'unionmap':
        return unionTable(spec, this.#members(name, use));
      case 'randmap':
        return randomTable(spec, splitList(name.replace(/^\{([^]*)\}$/, '$1')), Math.random);
      default: {
        const reason = absentTypes.has(type)
          ? `table type "${type}" is not in this version`
          : `unsupported dictionary type: ${type}`;
        warn(`${spec}: ${reason}`);
        return failingTable(spec, reason);
      }
    }
  }

  #members(text: string, use: TableUse): readonly Table[] {
    return splitList(text.replace(/^\{([^]*)\}$/, '$1')).map((spec) => this.open(spec, use));
  }

  /** Several tables, searched in order for each key. */
  list(text: string | readonly ListElement[], use: TableUse = {}): TableList {
    const specs = typeof text === 'string' ? splitList(text) : text.map((element) => element.text);
    return createTableList(
      specs.join(' '),
      specs.map((spec) => this.open(spec, use)),
    );
  }

  /** A membership list. `parameter` decides about parent domains (parent_domain_matches_subdomains). */
  matchList(parameter: string, kind: MatchKind, elements: readonly ListElement[]): MatchList {
    const { settings, warn } = this.#options;
    return createMatchList({
      parameter,
      kind,
      elements,
      matchesParents: settings.list('parent_domain_matches_subdomains').includes(parameter),
      open: (spec) => this.open(spec),
      warn,
    });
  }

  closeAll(): void {
    for (const table of this.#opened.values()) table.close?.();
    this.#opened.clear();
  }
}

function environmentTable(name: string): Table {
  return {
    name,
    acceptsPartialKeys: true,
    lookup: (key) => {
      const value = process.env[key];
      return value === undefined ? missing : { kind: 'found', value };
    },
  };
}
