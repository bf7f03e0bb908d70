/** Which types of tables there are. DATABASE_README */

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

/** Whether Postfix knows a table type of this name. */
export function isTableType(type: string): boolean {
  return tableTypes.includes(type) || absentTypes.includes(type);
}
