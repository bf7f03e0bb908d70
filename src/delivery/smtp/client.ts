/** What all deliveries of one service of master.cf share: settings, lookups, tables, kept connections. */
import { ConfigError, placeOf, type ServiceEntry, type Settings } from '#config';
import {
  type DnssecProbe,
  filterReplies,
  type HostLookup,
  parseDnssecProbe,
  probingDnssec,
  type Resolver,
  type SearchOptions,
  withSearch,
} from '#dns';
import type { EventChannel } from '#events';
import type { DeliveryAgent } from '#message';
import { type SessionNotice, Turn } from '#smtp';
import type { TableOpener } from '#tables';
import { ClientTls, clientTlsParameters, type KeyFiles } from '#tls';
import type { LookupTools } from './addresses.ts';
import { type ConnectionCache, createConnectionCache } from './connection-cache.ts';
import { sayGoodbye } from './goodbye.ts';
import { KnownAnchors } from './known-anchors.ts';
import { openOutputRules, type OutputRules } from './output-rules.ts';
import { ownAddresses, type SourceAddresses, sourceAddresses } from './own-addresses.ts';
import { openServerTables, type ServerTables } from './server-tables.ts';
import { type ClientProtocol, compileSettings, type SmtpSettings } from './settings.ts';
import { openStatusFilter } from '../status-filter.ts';
import type { ReportTools } from './outcome-report.ts';

export interface SmtpAgentOptions {
  readonly settings: Settings;
  readonly service: ServiceEntry;
  readonly protocol: ClientProtocol;
  readonly resolver: Resolver;
  readonly hostLookup: HostLookup;
  readonly tables: TableOpener;
  /** Completes results of generic maps to standard form. */
  readonly rewriter?: { rewrite(address: string, context: 'local' | 'remote'): string };
  readonly events: EventChannel;
  /** Tells of sessions in which something went wrong. notify_classes */
  readonly notifyPostmaster?: (notice: SessionNotice) => void;
  /** Of certificates, as they were at the start. */
  readonly keyFiles?: KeyFiles;
  readonly clock: { now(): number };
  /** Of resolv.conf(5), for smtp_dns_resolver_options. */
  readonly searchList: SearchOptions['conf'];
  /** In [0, 1). */
  readonly random?: () => number;
  /** The agents of all transports, for best_mx_transport. */
  readonly agents: ReadonlyMap<string, DeliveryAgent>;
}

/** What all deliveries of a service share. */
export interface Client {
  readonly options: SmtpAgentOptions;
  readonly settings: SmtpSettings;
  readonly lookups: LookupTools;
  readonly sourceFor: SourceAddresses;
  readonly tables: ServerTables;
  readonly tls: ClientTls;
  readonly anchors: KnownAnchors;
  readonly output: OutputRules;
  readonly cache: ConnectionCache;
  readonly turn: Turn;
  readonly reportTools: ReportTools;
  readonly warn: (text: string) => void;
}

const noKeyFiles: KeyFiles = { contents: new Map(), directories: new Map() };

const statusFilters: Readonly<Record<ClientProtocol, string>> = {
  smtp: 'smtp_delivery_status_filter',
  lmtp: 'lmtp_delivery_status_filter',
};

export function createClient(options: SmtpAgentOptions): Client {
  const settings = compileSettings(options.settings, options.service, options.protocol);
  const { events } = options;
  const warn = (text: string): void => events.emit({ kind: 'warning', text });
  return {
    options,
    settings,
    warn,
    lookups: {
      settings,
      resolver: filteredResolver(options, settings, warn),
      hostLookup: options.hostLookup,
      isOwnAddress: ownAddresses(options.settings, options.hostLookup),
      random: options.random ?? Math.random,
      warn,
    },
    sourceFor: sourceAddresses(options.settings, options.hostLookup),
    tables: openServerTables(options.tables, settings, warn),
    tls: new ClientTls({
      settings: options.settings,
      names: clientTlsParameters(options.protocol),
      files: options.keyFiles ?? noKeyFiles,
      events,
      now: () => options.clock.now(),
    }),
    anchors: new KnownAnchors(() => performance.now()),
    output: openOutputRules({ ...options, settings, warn, mainSettings: options.settings }),
    cache: createConnectionCache(settings.cache.idleMs, (connection) => void sayGoodbye(connection, settings)),
    turn: new Turn(),
    reportTools: {
      events,
      now: () => options.clock.now(),
      softBounce: settings.softBounce,
      delayDigits: options.settings.int('delay_logging_resolution_limit'),
      tellsTls: settings.tls.isLogged,
      statusFilter: openStatusFilter(statusFilters[options.protocol], options),
    },
  };
}

/** Throws ConfigError. */
function dnssecProbe(settings: Settings): DnssecProbe | undefined {
  const text = settings.string('dnssec_probe');
  const probe = parseDnssecProbe(text);
  if (probe === 'off') return undefined;
  if (probe !== undefined) return probe;
  const place = placeOf(settings.origin('dnssec_probe'));
  throw new ConfigError([
    `${place}malformed dnssec_probe value: ${text}: a type of records and a name are expected, as in ns:.`,
  ]);
}

function filteredResolver(options: SmtpAgentOptions, settings: SmtpSettings, warn: (text: string) => void): Resolver {
  const tables = options.tables.list(settings.tables.dnsReplyFilter);
  const words = settings.resolverOptions.map((word) => word.toLowerCase());
  const probe = settings.hasDnssec ? dnssecProbe(options.settings) : undefined;
  const asked = probe === undefined ? options.resolver : probingDnssec(options.resolver, probe, warn);
  const resolver =
    words.length === 0
      ? asked
      : withSearch(asked, {
          conf: options.searchList,
          defaultDomain: words.includes('res_defnames'),
          searchAll: words.includes('res_dnsrch'),
        });
  if (tables.isEmpty) return resolver;
  const note = (text: string): void => options.events.emit({ kind: 'note', text });
  const filter = { parameter: settings.parameter('dns_reply_filter'), tables };
  return filterReplies(resolver, filter, { note, warn });
}
