/** Tables that are asked about a server: EHLO keywords to overlook, PIX workarounds, reply filter, cache destinations. */
import type { MaybePromise } from '#message';
import type { TableList, TableOpener } from '#tables';
import { whenReady } from '#message';
import { openRequireTlsPolicy, type RequireTlsPolicy } from './require-tls.ts';
import type { SaslRules } from './sasl.ts';
import type { SmtpSettings } from './settings.ts';

export interface ServerTables {
  /** Upper case. */
  readonly ignoredKeywords: (address: string) => MaybePromise<readonly string[] | undefined>;
  readonly pixWorkarounds: (address: string) => MaybePromise<readonly string[] | undefined>;
  /** undefined when replies are not filtered. */
  readonly replyFilter: ((line: string) => string | undefined) | undefined;
  readonly tlsPolicies: TableList;
  readonly requireTls: RequireTlsPolicy;
  /** undefined when smtp_sasl_auth_enable is off. */
  readonly sasl: SaslRules | undefined;
  /** Connections to these domains or hosts are always kept. */
  isCachedDestination(domain: string): MaybePromise<boolean>;
  /** Servers of this service are named by SRV records. */
  isSrvService(service: string): MaybePromise<boolean>;
}

/** Opens the tables of a service. A table that fails counts as silent, with a warning. */
export function openServerTables(
  tables: TableOpener,
  settings: SmtpSettings,
  warn: (text: string) => void,
): ServerTables {
  const keywordMaps = tables.list(settings.tables.discardKeywords, {}, settings.discardKeywordMaps);
  const pixMaps = tables.list(settings.tables.pixWorkarounds, {}, settings.parameter('pix_workaround_maps'));
  const destinations = tables.matchList(
    settings.parameter('connection_cache_destinations'),
    'string',
    settings.cache.destinations,
  );
  const services = tables.matchList('use_srv_lookup', 'string', settings.srv.services);
  return {
    ignoredKeywords: (address) => wordsFor(keywordMaps, address, settings.discardKeywords, true),
    pixWorkarounds: (address) => wordsFor(pixMaps, address, settings.pixWorkarounds, false),
    replyFilter: replyFilter(tables, settings, warn),
    tlsPolicies: tables.list(settings.tables.tlsPolicy, {}, settings.parameter('tls_policy_maps')),
    requireTls: openRequireTlsPolicy(settings.parameter('requiretls_policy'), settings.tables.requireTls, tables),
    sasl: settings.sasl.isEnabled ? saslRules(tables, settings) : undefined,
    isCachedDestination: (domain) =>
      destinations.isEmpty ? false : whenReady(destinations.matches(domain), (result) => result === 'yes'),
    isSrvService: (service) =>
      services.isEmpty ? false : whenReady(services.matches(service), (result) => result === 'yes'),
  };
}

function saslRules(tables: TableOpener, settings: SmtpSettings): SaslRules {
  const { passwordMaps, mechanismFilter } = settings.sasl;
  return {
    ...settings.sasl,
    passwords: tables.list(passwordMaps, {}, settings.parameter('sasl_password_maps')),
    mechanismFilter: tables.matchList(settings.parameter('sasl_mechanism_filter'), 'string', mechanismFilter),
    recipientDelimiter: settings.recipientDelimiter,
  };
}

function wordsFor(
  list: TableList,
  key: string,
  fallback: readonly string[],
  upper: boolean,
): MaybePromise<readonly string[] | undefined> {
  if (list.isEmpty) return fallback;
  return whenReady(list.lookup(key), (result) => {
    if (result.kind === 'failed') return undefined;
    if (result.kind === 'missing') return fallback;
    const words = result.value.split(/[\s,]+/).filter((word) => word !== '');
    return upper ? words.map((word) => word.toUpperCase()) : words;
  });
}

/** Pattern tables answer from memory, which is what a filter of every line needs. */
function replyFilter(
  tables: TableOpener,
  settings: SmtpSettings,
  warn: (text: string) => void,
): ServerTables['replyFilter'] {
  const list = tables.list(settings.tables.replyFilter);
  if (list.isEmpty) return undefined;
  return (line) => {
    for (const table of list.tables) {
      const result = table.lookup(line);
      if (!(result instanceof Promise) && result.kind === 'missing') continue;
      if (!(result instanceof Promise) && result.kind === 'found') return result.value;
      warn(`table ${table.name} lookup error for ${line}`);
      return undefined;
    }
    return line;
  };
}
