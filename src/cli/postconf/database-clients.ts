/**
 * Settings of database tables: in a file of their own, or as `NAME_setting` in main.cf or after -o. ldap_table(5),
 * mysql_table(5), pgsql_table(5), sqlite_table(5), memcache_table(5), mongodb_table(5)
 */
import { readFileSync } from 'node:fs';
import { parseMainFile, splitList } from '#config';
import { errnoOf, errnoText } from '#native';

/** Old ways to say what is asked of an SQL database. */
const sqlSelection = 'table select_field where_field additional_conditions';
const common = 'domain expansion_limit result_format';
const settingsByType: Readonly<Record<string, string>> = {
  ldap:
    `${common} bind bind_dn bind_pw cache cache_expiry cache_size chase_referrals debuglevel dereference ` +
    'leaf_result_attribute query_filter recursion_limit result_attribute result_filter sasl_authz_id sasl_mechs ' +
    'sasl_minssf sasl_realm scope search_base server_host server_port size_limit special_result_attribute start_tls ' +
    'terminal_result_attribute timeout tls_ca_cert_dir tls_ca_cert_file tls_cert tls_cipher_suite tls_key ' +
    'tls_random_file tls_require_cert version',
  mongodb: `${common} collection dbname options projection query_filter result_attribute uri`,
  mysql:
    `${common} ${sqlSelection} charset dbname hosts idle_interval option_file option_group password query ` +
    'require_result_set retry_interval tls_CAfile tls_CApath tls_cert_file tls_ciphers tls_key_file tls_verify_cert ' +
    'user',
  pgsql: `${common} ${sqlSelection} dbname encoding hosts idle_interval password query retry_interval select_function user`,
  sqlite: `${common} ${sqlSelection} dbpath query`,
  memcache:
    'backup data_size_limit domain flags key_digest key_format line_size_limit max_try memcache retry_pause timeout ttl',
};

/** A table of a list: where its settings are, and what they may be called. */
interface DatabaseClient {
  readonly type: string;
  readonly name: string;
  readonly settings: ReadonlySet<string>;
}

/** The database tables among the elements of a value; `proxy:` and tables of tables are looked into. */
function clientsIn(value: string): readonly DatabaseClient[] {
  return splitList(value).flatMap((element) => {
    const inner = /^\{([^]*)\}$/.exec(element.replace(/^(?:pipemap|unionmap|randmap):/, ''))?.[1];
    if (inner !== undefined) return clientsIn(inner);
    const [, type = '', name = ''] = /^(?:proxy:|debug:)*(\w+):(.+)$/.exec(element) ?? [];
    const settings = settingsByType[type];
    return settings === undefined ? [] : [{ type, name, settings: new Set(settings.split(' ')) }];
  });
}

/** Names that the database tables of a value may be set with where the value stands. */
export function databaseSettingNames(value: string): readonly string[] {
  return clientsIn(value)
    .filter(({ name }) => !name.startsWith('/'))
    .flatMap(({ name, settings }) => [...settings].map((setting) => `${name}_${setting}`));
}

/** Warnings about the files that the database tables of a value are set with. */
export function databaseFileWarnings(value: string): readonly string[] {
  return clientsIn(value)
    .filter(({ name }) => name.startsWith('/'))
    .flatMap(fileWarnings);
}

function fileWarnings({ type, name: path, settings }: DatabaseClient): readonly string[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const reason = errnoOf(error) === 'EISDIR' ? 'not a regular file' : errnoText(error);
    return [`open "${type}" configuration "${path}": ${reason}`];
  }
  const warnings: string[] = [];
  const { byName } = parseMainFile(path, text, (warning) => warnings.push(warning));
  const unused = [...byName.values()].filter(({ name }) => !settings.has(name));
  return [...warnings, ...unused.map(({ name, value }) => `${type}:${path}: unused parameter: ${name}=${value}`)];
}
