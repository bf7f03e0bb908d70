/** Settings of the SMTP server as plain fields, compiled once a service. smtpd(8) */
import { type AddressFamily, badSetting, familiesOf, type ServiceEntry, type Settings } from '#config';
import { type ByteFilter, type ReceiveOverride, receiveOverrides } from '#message';
import { type BareNewlineMode, expansionFilter } from '#smtp';
import type { MatchList, TableList, TableOpener } from '#tables';
import { compileFilter, type FilterSettings } from './proxy-filter/index.ts';
import { readRewriteClients, type RewriteClients } from './rewrite-clients.ts';

export interface SmtpdSettings {
  readonly service: string;
  readonly myhostname: string;
  readonly mailName: string;
  readonly banner: string;
  readonly timeoutMs: number;
  readonly errorSleepMs: number;
  readonly softErrorLimit: number;
  readonly notifyClasses: ReadonlySet<string>;
  /** Lines of a session that are remembered beyond RSET and the like. smtpd_history_flush_threshold */
  readonly historyThreshold: number;
  readonly hardErrorLimit: number;
  readonly junkCommandLimit: number;
  readonly recipientLimit: number;
  readonly recipientOvershootLimit: number;
  readonly lineLengthLimit: number;
  readonly messageSizeLimit: number;
  readonly queueMinFree: number;
  readonly heloRequired: boolean;
  readonly strictEnvelopes: boolean;
  readonly disableVrfy: boolean;
  readonly smtputf8: boolean;
  /** requiretls_enable */
  readonly requireTls: boolean;
  /** A filter that knows no REQUIRETLS is told of it by a header field. requiretls_esmtp_header */
  readonly requireTlsField: boolean;
  readonly softBounce: boolean;
  readonly delayReject: boolean;
  /** Mail has its queue id from MAIL on. smtpd_delay_open_until_valid_rcpt = no */
  readonly opensAtMail: boolean;
  readonly rejectFooter: string;
  readonly rejectFooterMaps: TableList;
  readonly rejectFilterMaps: TableList;
  readonly expansionFilter: ByteFilter;
  readonly perRequestDeadline: boolean;
  readonly minDataRate: number;
  readonly daemonTimeoutMs: number;
  readonly clientPortLogging: boolean;
  readonly hidesClientSession: boolean;
  /** smtpd_sasl_authenticated_header */
  readonly tellsLogin: boolean;
  readonly commandFilter: TableList;
  readonly discardedKeywordMaps: TableList;
  readonly strictSmtputf8: boolean;
  readonly verpClients: MatchList;
  readonly defaultVerpDelimiters: string;
  readonly verpDelimiterFilter: string;
  readonly discardedKeywords: ReadonlySet<string>;
  readonly noopCommands: MatchList;
  readonly forbiddenCommands: MatchList;
  readonly forbidPipelining: boolean;
  readonly forbidBareNewline: BareNewlineMode;
  readonly bareNewlineExclusions: MatchList;
  readonly bareNewlineRejectCode: number;
  readonly peernameLookup: boolean;
  readonly xclientHosts: MatchList;
  readonly xforwardHosts: MatchList;
  readonly localRewriteClients: readonly RewriteClients[];
  readonly contentFilter: string;
  readonly overrides: readonly ReceiveOverride[];
  readonly clientConnectionLimit: number;
  readonly clientConnectionRateLimit: number;
  readonly clientMessageRateLimit: number;
  readonly clientRecipientRateLimit: number;
  readonly clientNewTlsSessionRateLimit: number;
  readonly starttlsTimeoutMs: number;
  readonly clientAuthRateLimit: number;
  readonly clientPrefixes: { readonly ipv4: number; readonly ipv6: number };
  readonly rateTimeUnitMs: number;
  readonly anvilStatusUpdateMs: number;
  readonly eventLimitExceptions: MatchList;
  /** inet_protocols */
  readonly families: readonly AddressFamily[];
  /** A load balancer in front of us tells who the client is, within this time. smtpd_upstream_proxy_protocol */
  readonly upstreamProxy: { readonly timeoutMs: number } | undefined;
  /** Mail goes to this filter instead of the queue. smtpd_proxy_filter */
  readonly proxyFilter: FilterSettings | undefined;
}

function overridesOf(settings: Settings): readonly ReceiveOverride[] {
  const words = settings.list('receive_override_options');
  const unknown = words.find((word) => !receiveOverrides.some((known) => known === word));
  if (unknown !== undefined) {
    const problem = `unknown option "${unknown}"; known are ${receiveOverrides.join(', ')}`;
    throw badSetting(settings, 'receive_override_options', problem);
  }
  return receiveOverrides.filter((word) => words.includes(word));
}

function bareNewlineMode(settings: Settings): BareNewlineMode {
  const name = 'smtpd_forbid_bare_newline';
  switch (settings.string(name).toLowerCase()) {
    case 'yes':
    case 'normalize':
      return 'normalize';
    case 'no':
      return 'no';
    case 'note':
      return 'note';
    case 'reject':
      return 'reject';
    default:
      throw badSetting(settings, name, 'write no, note, normalize or reject');
  }
}

/** A match list over client names and addresses. */
function clients(settings: Settings, tables: TableOpener, name: string): MatchList {
  return tables.matchList(name, 'namadr', settings.elements(name));
}

function upstreamProxy(settings: Settings): SmtpdSettings['upstreamProxy'] {
  const protocol = settings.string('smtpd_upstream_proxy_protocol');
  if (protocol === '') return undefined;
  if (protocol !== 'haproxy') throw badSetting(settings, 'smtpd_upstream_proxy_protocol', 'known is haproxy');
  return { timeoutMs: settings.timerMs('smtpd_upstream_proxy_timeout') };
}

export function compileSettings(
  settings: Settings,
  entry: Pick<ServiceEntry, 'name'>,
  tables: TableOpener,
): SmtpdSettings {
  const set = (name: string): ReadonlySet<string> => new Set(settings.list(name).map((word) => word.toLowerCase()));
  const words = (name: string): MatchList => tables.matchList(name, 'string', settings.elements(name));
  return {
    service: entry.name,
    myhostname: settings.string('myhostname'),
    mailName: settings.string('mail_name'),
    banner: settings.string('smtpd_banner'),
    timeoutMs: settings.timerMs('smtpd_timeout'),
    errorSleepMs: settings.timerMs('smtpd_error_sleep_time'),
    softErrorLimit: settings.int('smtpd_soft_error_limit'),
    notifyClasses: new Set(settings.list('notify_classes').map((word) => word.toLowerCase())),
    historyThreshold: settings.int('smtpd_history_flush_threshold'),
    hardErrorLimit: settings.int('smtpd_hard_error_limit'),
    junkCommandLimit: settings.int('smtpd_junk_command_limit'),
    recipientLimit: settings.int('smtpd_recipient_limit'),
    recipientOvershootLimit: settings.int('smtpd_recipient_overshoot_limit'),
    lineLengthLimit: settings.int('line_length_limit'),
    messageSizeLimit: settings.int('message_size_limit'),
    queueMinFree: settings.int('queue_minfree'),
    heloRequired: settings.bool('smtpd_helo_required'),
    strictEnvelopes: settings.bool('strict_rfc821_envelopes'),
    disableVrfy: settings.bool('disable_vrfy_command'),
    smtputf8: settings.bool('smtputf8_enable'),
    requireTls: settings.bool('requiretls_enable'),
    requireTlsField: settings.bool('requiretls_esmtp_header'),
    softBounce: settings.bool('soft_bounce'),
    delayReject: settings.bool('smtpd_delay_reject'),
    opensAtMail: !settings.bool('smtpd_delay_open_until_valid_rcpt'),
    rejectFooter: settings.string('smtpd_reject_footer'),
    rejectFooterMaps: tables.listOf('smtpd_reject_footer_maps'),
    rejectFilterMaps: tables.listOf('smtpd_reject_filter_maps'),
    expansionFilter: expansionFilter(settings.string('smtpd_expansion_filter')),
    perRequestDeadline: settings.bool('smtpd_per_request_deadline'),
    minDataRate: settings.int('smtpd_min_data_rate'),
    daemonTimeoutMs: settings.timerMs('daemon_timeout'),
    clientPortLogging: settings.bool('smtpd_client_port_logging'),
    hidesClientSession: settings.bool('smtpd_hide_client_session'),
    tellsLogin: settings.bool('smtpd_sasl_authenticated_header'),
    commandFilter: tables.listOf('smtpd_command_filter', { allowsEmpty: true }),
    discardedKeywordMaps: tables.listOf('smtpd_discard_ehlo_keyword_address_maps'),
    strictSmtputf8: settings.bool('strict_smtputf8'),
    verpClients: clients(settings, tables, 'smtpd_authorized_verp_clients'),
    defaultVerpDelimiters: settings.string('default_verp_delimiters'),
    verpDelimiterFilter: settings.string('verp_delimiter_filter'),
    discardedKeywords: set('smtpd_discard_ehlo_keywords'),
    noopCommands: words('smtpd_noop_commands'),
    forbiddenCommands: words('smtpd_forbidden_commands'),
    forbidPipelining: settings.bool('smtpd_forbid_unauth_pipelining'),
    forbidBareNewline: bareNewlineMode(settings),
    bareNewlineExclusions: clients(settings, tables, 'smtpd_forbid_bare_newline_exclusions'),
    bareNewlineRejectCode: settings.int('smtpd_forbid_bare_newline_reject_code'),
    peernameLookup: settings.bool('smtpd_peername_lookup'),
    xclientHosts: clients(settings, tables, 'smtpd_authorized_xclient_hosts'),
    xforwardHosts: clients(settings, tables, 'smtpd_authorized_xforward_hosts'),
    localRewriteClients: readRewriteClients(settings, tables),
    contentFilter: settings.string('content_filter'),
    overrides: overridesOf(settings),
    clientConnectionLimit: settings.int('smtpd_client_connection_count_limit'),
    clientConnectionRateLimit: settings.int('smtpd_client_connection_rate_limit'),
    clientMessageRateLimit: settings.int('smtpd_client_message_rate_limit'),
    clientRecipientRateLimit: settings.int('smtpd_client_recipient_rate_limit'),
    clientNewTlsSessionRateLimit: settings.int('smtpd_client_new_tls_session_rate_limit'),
    starttlsTimeoutMs: settings.timerMs('smtpd_starttls_timeout'),
    clientAuthRateLimit: settings.int('smtpd_client_auth_rate_limit'),
    clientPrefixes: {
      ipv4: settings.int('smtpd_client_ipv4_prefix_length'),
      ipv6: settings.int('smtpd_client_ipv6_prefix_length'),
    },
    rateTimeUnitMs: settings.ms('anvil_rate_time_unit'),
    anvilStatusUpdateMs: settings.timerMs('anvil_status_update_time'),
    eventLimitExceptions: clients(settings, tables, 'smtpd_client_event_limit_exceptions'),
    families: familiesOf(settings),
    upstreamProxy: upstreamProxy(settings),
    proxyFilter: compileFilter(settings),
  };
}
