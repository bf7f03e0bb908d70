/**
 * Tables of Berkeley DB types that are to be looked for in another type, on systems that have no Berkeley DB.
 * postconf(5) non_bdb_migration_level, non_bdb_custom_mapping
 */
import type { Settings } from '#config';
import { splitTableName, type TableName } from './table-name.ts';

/** `hash:` and `btree:` go where main.cf says, else to the default types for tables and for caches. */
function redirectedType(type: string, settings: Settings): string {
  if (settings.string('non_bdb_migration_level').toLowerCase() === 'disable') return type;
  const custom = settings
    .list('non_bdb_custom_mapping')
    .map((pair) => pair.split('='))
    .find(([from]) => from === type)?.[1];
  if (custom !== undefined) return custom;
  if (type === 'hash') return settings.string('default_database_type');
  return type === 'btree' ? settings.string('default_cache_db_type') : type;
}

/** The type that an index of this one is looked for in. `log` hears of a redirection, as main.cf asks. */
function redirected(type: string, name: string, settings: Settings, log: (text: string) => void): string {
  if (type !== 'hash' && type !== 'btree') return type;
  const other = redirectedType(type, settings);
  if (other !== type && settings.bool('non_bdb_migration_log_redirect')) {
    log(`redirecting ${type}:${name} to ${other}:${name}`);
  }
  return other;
}

/**
 * What is to be opened for `type:name`. Only commands have a default type for a bare name: in main.cf it is a mistake,
 * and its type is ''. `log` hears of a redirection, as main.cf asks.
 */
export function redirectedTable(
  spec: string,
  settings: Settings,
  log: (text: string) => void,
  defaultType = '',
): TableName {
  const { type, name } = splitTableName(spec, defaultType);
  return { type: redirected(type, name, settings, log), name };
}

/** The same for the name of a cache, which may stand behind `proxy:`. */
export function redirectedCache(spec: string, settings: Settings): string {
  const [, proxy = '', type = '', name = ''] = /^(proxy:)?(\w+):(.*)$/s.exec(spec) ?? [];
  return type === '' ? spec : `${proxy}${redirected(type, name, settings, () => undefined)}:${name}`;
}
