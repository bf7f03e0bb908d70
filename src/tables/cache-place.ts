/** Where the file of a cache is: below directories of others it can't be written. postconf(5) data_directory */
import { statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { Settings } from '#config';
import { proxiedName, ProxyApproval } from './proxy-approval.ts';
import { redirectedCache } from './redirection.ts';
import { splitTableName, type TableName } from './table-name.ts';

export interface CacheSettings {
  /** `TYPE:NAME`, or a name alone. */
  readonly map: string;
  /** Of proxy_write_maps. */
  readonly approval: Pick<ProxyApproval, 'refusal'>;
  /** Of a cache without a type. default_database_type */
  readonly defaultType: string;
  readonly dataDirectory: string;
  readonly queueDirectory: string;
  readonly mailOwner: string;
}

export function readCacheSettings(settings: Settings, map: string): CacheSettings {
  return {
    map: redirectedCache(map, settings),
    approval: new ProxyApproval(settings, 'proxy_write_maps'),
    defaultType: settings.string('default_database_type'),
    dataDirectory: settings.string('data_directory'),
    queueDirectory: settings.string('queue_directory'),
    mailOwner: settings.string('mail_owner'),
  };
}

/** What the cache is kept in, also behind `proxy:`. Unlike other tables it may be named without a type. verify(8), postscreen(8) */
export function cacheTable({ map, defaultType }: Pick<CacheSettings, 'map' | 'defaultType'>): TableName {
  return splitTableName(proxiedName(map), defaultType);
}

/**
 * The path, or one of the same name in data_directory: configurations that are older than it name files beside main.cf.
 * `table`: as written.
 */
export function writablePath(
  path: string,
  table: string,
  { dataDirectory, queueDirectory, mailOwner }: CacheSettings,
  warn: (text: string) => void,
): string {
  const directory = dirname(path);
  const there = statSync(resolve(queueDirectory, directory), { throwIfNoEntry: false });
  if (there === undefined || there.uid === process.geteuid?.()) return resolve(queueDirectory, path);
  warn(`request to update table ${table} in non-${mailOwner} directory ${directory}`);
  warn(`redirecting the request to ${mailOwner}-owned data_directory ${dataDirectory}`);
  return `${dataDirectory}/${basename(path)}`;
}
