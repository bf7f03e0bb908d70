/** Settings of postscreen as plain fields, compiled once a service. postscreen(8) */
import { compareLevels, badSetting, familiesOf, parseTime, type Settings } from '#config';
import type { ByteFilter } from '#message';
import { expansionFilter } from '#smtp';
import { type CacheSettings, type MatchList, readCacheSettings, type TableList, type TableOpener } from '#tables';
import { type AccessList, compileAccessList } from './access-list.ts';
import type { DeepTest, Test } from './cache-entry.ts';
import { type DnsblSite, parseSite } from './dnsbl-sites.ts';
import type { ListingWords } from './listing-log.ts';
import type { UpstreamProxy } from './upstream-proxy.ts';

export type Action = 'ignore' | 'enforce' | 'drop';

/** A time limit, and what it is while many clients wait. */
export interface StressedMs {
  readonly normal: number;
  readonly stressed: number;
}

export interface PostscreenSettings {
  readonly myhostname: string;
  readonly greeting: string;
  /** '' : no teaser, no test. */
  readonly teaser: string;
  readonly enabled: ReadonlySet<Test>;
  readonly accessList: AccessList;
  readonly denylistAction: Action;
  readonly allowlistInterfaces: MatchList;
  readonly greetAction: Action;
  readonly greetWaitMs: StressedMs;
  readonly greetTtlSeconds: number;
  readonly dnsblSites: readonly DnsblSite[];
  readonly dnsblAction: Action;
  readonly dnsblThreshold: number;
  /** 0: nobody is let through because of good lists. */
  readonly dnsblAllowThreshold: number;
  readonly dnsblTimeoutMs: number;
  readonly dnsblMinTtlSeconds: number;
  readonly dnsblMaxTtlSeconds: number;
  readonly dnsblReplyMap: TableList;
  readonly deepActions: Readonly<Record<DeepTest, Action>>;
  readonly deepTtlSeconds: Readonly<Record<DeepTest, number>>;
  readonly forbiddenCommands: MatchList;
  readonly commandFilter: TableList;
  readonly commandCountLimit: number;
  readonly commandTimeLimitMs: StressedMs;
  readonly starttlsTimeoutMs: StressedMs;
  readonly lineLengthLimit: number;
  readonly messageSizeLimit: number;
  readonly heloRequired: boolean;
  readonly announcesVrfy: boolean;
  readonly disableVrfy: boolean;
  readonly smtputf8: boolean;
  readonly discardedKeywords: ReadonlySet<string>;
  readonly discardedKeywordMaps: TableList;
  readonly rejectFooter: string;
  readonly rejectFooterMaps: TableList;
  readonly expansionFilter: ByteFilter;
  readonly softBounce: boolean;
  /** 0: no limit. */
  readonly clientConnectionLimit: number;
  readonly preQueueLimit: number;
  readonly postQueueLimit: number;
  /** Undefined: every client is tested each time. */
  readonly cache: CacheSettings | undefined;
  readonly cacheCleanupIntervalMs: number;
  readonly cacheRetentionSeconds: number;
  /** Undefined: clients come themselves. */
  readonly upstreamProxy: UpstreamProxy | undefined;
  readonly listingWords: ListingWords;
  readonly delayDigits: number;
}

const actions: Readonly<Record<string, Action>> = {
  ignore: 'ignore',
  continue: 'ignore',
  enforce: 'enforce',
  drop: 'drop',
};

export function compilePostscreenSettings(settings: Settings, tables: TableOpener): PostscreenSettings {
  const action = (name: string): Action => {
    const found = actions[settings.string(name).toLowerCase()];
    if (found === undefined) throw badSetting(settings, name, 'write ignore, enforce or drop');
    return found;
  };
  const seconds = (name: string): number => Math.floor(settings.ms(name) / 1000);
  const stressed = (name: string): StressedMs => {
    const text = settings.expand(`$${name}`, (other) => (other === 'stress' ? 'yes' : undefined));
    const stressedSeconds = parseTime(text, 's');
    const normal = settings.timerMs(name);
    return { normal, stressed: stressedSeconds === undefined ? normal : stressedSeconds * 1000 };
  };
  // their defaults name a setting of the SMTP server, and their values are not expanded
  const raw = (name: string, serverName: string): string => settings.string(settings.isSet(name) ? name : serverName);
  const list = (name: string): TableList => tables.listOf(name);
  const dnsblSites = settings.list('postscreen_dnsbl_sites').map(parseSite);
  const teaser = settings.string('postscreen_greet_banner');
  const enabled = new Set<Test>();
  if (teaser !== '') enabled.add('pregreet');
  if (dnsblSites.length > 0) enabled.add('dnsbl');
  if (settings.bool('postscreen_pipelining_enable')) enabled.add('pipelining');
  if (settings.bool('postscreen_non_smtp_command_enable')) enabled.add('nonSmtpCommand');
  if (settings.bool('postscreen_bare_newline_enable')) enabled.add('bareNewline');
  const cacheMap = settings.string('postscreen_cache_map');
  const interfaces = 'postscreen_allowlist_interfaces';
  const keywords = settings.list('postscreen_discard_ehlo_keywords');
  return {
    myhostname: settings.string('myhostname'),
    greeting: settings.string('smtpd_banner'),
    teaser,
    enabled,
    accessList: compileAccessList(settings, tables),
    denylistAction: action('postscreen_denylist_action'),
    allowlistInterfaces: tables.matchList(interfaces, 'namadr', settings.elements(interfaces)),
    greetAction: action('postscreen_greet_action'),
    greetWaitMs: stressed('postscreen_greet_wait'),
    greetTtlSeconds: seconds('postscreen_greet_ttl'),
    dnsblSites,
    dnsblAction: action('postscreen_dnsbl_action'),
    dnsblThreshold: settings.int('postscreen_dnsbl_threshold'),
    dnsblAllowThreshold: settings.int('postscreen_dnsbl_allowlist_threshold'),
    dnsblTimeoutMs: settings.timerMs('postscreen_dnsbl_timeout'),
    dnsblMinTtlSeconds: seconds('postscreen_dnsbl_min_ttl'),
    dnsblMaxTtlSeconds: seconds('postscreen_dnsbl_max_ttl'),
    dnsblReplyMap: list('postscreen_dnsbl_reply_map'),
    deepActions: {
      pipelining: action('postscreen_pipelining_action'),
      nonSmtpCommand: action('postscreen_non_smtp_command_action'),
      bareNewline: action('postscreen_bare_newline_action'),
    },
    deepTtlSeconds: {
      pipelining: seconds('postscreen_pipelining_ttl'),
      nonSmtpCommand: seconds('postscreen_non_smtp_command_ttl'),
      bareNewline: seconds('postscreen_bare_newline_ttl'),
    },
    forbiddenCommands: tables.matchList(
      'postscreen_forbidden_commands',
      'string',
      settings.elements('postscreen_forbidden_commands'),
    ),
    commandFilter: tables.listOf('postscreen_command_filter', { allowsEmpty: true }),
    commandCountLimit: settings.int('postscreen_command_count_limit'),
    commandTimeLimitMs: stressed('postscreen_command_time_limit'),
    starttlsTimeoutMs: stressed('postscreen_starttls_timeout'),
    lineLengthLimit: settings.int('line_length_limit'),
    messageSizeLimit: settings.int('message_size_limit'),
    heloRequired: settings.bool('postscreen_helo_required'),
    // postscreen_disable_vrfy_command does not keep it from being announced
    announcesVrfy: !settings.bool('disable_vrfy_command'),
    disableVrfy: settings.bool('postscreen_disable_vrfy_command'),
    smtputf8: settings.bool('smtputf8_enable'),
    discardedKeywords: new Set(keywords.map((word) => word.toLowerCase())),
    discardedKeywordMaps: list('postscreen_discard_ehlo_keyword_address_maps'),
    rejectFooter: raw('postscreen_reject_footer', 'smtpd_reject_footer'),
    rejectFooterMaps: list('postscreen_reject_footer_maps'),
    expansionFilter: expansionFilter(raw('postscreen_expansion_filter', 'smtpd_expansion_filter')),
    softBounce: settings.bool('soft_bounce'),
    clientConnectionLimit: settings.int('postscreen_client_connection_count_limit'),
    preQueueLimit: settings.int('postscreen_pre_queue_limit'),
    postQueueLimit: settings.int('postscreen_post_queue_limit'),
    cache: cacheMap === '' ? undefined : readCacheSettings(settings, cacheMap),
    cacheCleanupIntervalMs: settings.ms('postscreen_cache_cleanup_interval'),
    cacheRetentionSeconds: seconds('postscreen_cache_retention_time'),
    upstreamProxy: upstreamProxy(settings),
    listingWords: {
      respectful: settings.bool('respectful_logging'),
      areOldDefault:
        !settings.isSet('respectful_logging') &&
        (compareLevels(settings.string('compatibility_level'), '3.6') ?? 0) < 0,
    },
    delayDigits: settings.int('delay_logging_resolution_limit'),
  };
}

function upstreamProxy(settings: Settings): UpstreamProxy | undefined {
  const name = 'postscreen_upstream_proxy_protocol';
  const protocol = settings.string(name);
  if (protocol === '') return undefined;
  if (protocol !== 'haproxy') throw badSetting(settings, name, 'known is haproxy');
  return { timeoutMs: settings.timerMs('postscreen_upstream_proxy_timeout'), families: familiesOf(settings) };
}
