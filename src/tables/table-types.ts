/** Which types of tables there are. DATABASE_README */
import { splitTableName } from './table-name.ts';

/** Types that Postfix may have and this version doesn't. */
const absentTypes: readonly string[] = [
  'ldap',
  'mysql',
  'pgsql',
  'mongodb',
  'memcache',
  'dbm',
  'sdbm',
  'nis',
  'nisplus',
  'netinfo',
];

/** Names of the table types that can be opened, for `postconf -m`. */
export const tableTypes: readonly string[] = [
  'btree',
  'cdb',
  'cidr',
  'debug',
  'environ',
  'fail',
  'hash',
  'inline',
  'internal',
  'lmdb',
  'pcre',
  'pipemap',
  'proxy',
  'randmap',
  'regexp',
  'socketmap',
  'sqlite',
  'static',
  'tcp',
  'texthash',
  'unionmap',
  'unix',
];

/** Tables that are no index. Values that name files, where they do, name them when they are asked; an index has contents. */
const plainTypes: ReadonlySet<string> = new Set(['cidr', 'inline', 'pcre', 'randmap', 'regexp', 'static', 'texthash']);

/** Whether values of the table `type:name` name files, where such are asked for; other tables hold the contents in Base64. postmap(1) -F */
export function namesFiles(table: string): boolean {
  return plainTypes.has(splitTableName(table, table).type);
}

/** Whether Postfix knows a table type of this name. */
export function isTableType(type: string): boolean {
  return tableTypes.includes(type) || absentTypes.includes(type);
}
