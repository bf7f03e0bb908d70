/** Settings of the SMTP server as plain fields, compiled once a service. smtpd(8) */
import type { ServiceEntry, Settings } from '#config';
import { ConfigError } from '#config';
import type { SubmissionOptions } from '#message';
import type { BareNewlineMode } from '#smtp';
import type { MatchList, TableOpener } from '#tables';

export interface SmtpdSettings {
  readonly service: string;
  readonly myhostname: string;
  readonly mailName: string;
  readonly banner: string;
  readonly timeoutMs: number;
  readonly errorSleepMs: number;
  readonly softErrorLimit: number;
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
  readonly softBounce: boolean;
  readonly delayReject: boolean;
  readonly rejectFooter: string;
  readonly discardedKeywords: ReadonlySet<string>;
  readonly noopCommands: ReadonlySet<string>;
  readonly forbiddenCommands: readonly string[];
  readonly forbidPipelining: boolean;
  readonly forbidBareNewline: BareNewlineMode;
  readonly bareNewlineExclusions: MatchList;
  readonly bareNewlineRejectCode: number;
  readonly peernameLookup: boolean;
  readonly xclientHosts: MatchList;
  readonly xforwardHosts: MatchList;
  readonly localRewriteClients: MatchList;
  readonly localRewriteAny: readonly string[];
  readonly inetInterfaces: readonly string[];
  readonly contentFilter: string;
  readonly overrides: SubmissionOptions['overrides'];
  readonly clientConnectionLimit: number;
  readonly eventLimitExceptions: MatchList;
}

const overrideWords = [
  'no_unknown_recipient_checks',
  'no_address_mappings',
  'no_header_body_checks',
  'no_milters',
] as const;

function overridesOf(settings: Settings): SubmissionOptions['overrides'] {
  const words = settings.list('receive_override_options');
  const unknown = words.find((word) => !overrideWords.some((known) => known === word));
  if (unknown !== undefined) {
    throw new ConfigError([
      `receive_override_options: unknown option "${unknown}"; known are ${overrideWords.join(', ')}`,
    ]);
  }
  return overrideWords.filter((word) => words.includes(word));
}

function bareNewlineMode(text: string): BareNewlineMode {
  switch (text.toLowerCase()) {
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
      throw new ConfigError([`smtpd_forbid_bare_newline = ${text}: write no, note, normalize or reject`]);
  }
}

/** A match list over client names and addresses. */
function clients(settings: Settings, tables: TableOpener, name: string): MatchList {
  return tables.matchList(name, 'namadr', settings.elements(name));
}

export function compileSettings(
  settings: Settings,
  entry: Pick<ServiceEntry, 'name'>,
  tables: TableOpener,
): SmtpdSettings {
  const set = (name: string): ReadonlySet<string> => new Set(settings.list(name).map((word) => word.toLowerCase()));
  return {
    service: entry.name,
    myhostname: settings.string('myhostname'),
    mailName: settings.string('mail_name'),
    banner: settings.string('smtpd_banner'),
    timeoutMs: settings.ms('smtpd_timeout'),
    errorSleepMs: settings.ms('smtpd_error_sleep_time'),
    softErrorLimit: settings.int('smtpd_soft_error_limit'),
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
    softBounce: settings.bool('soft_bounce'),
    delayReject: settings.bool('smtpd_delay_reject'),
    rejectFooter: settings.string('smtpd_reject_footer'),
    discardedKeywords: set('smtpd_discard_ehlo_keywords'),
    noopCommands: set('smtpd_noop_commands'),
    forbiddenCommands: settings.list('smtpd_forbidden_commands'),
    forbidPipelining: settings.bool('smtpd_forbid_unauth_pipelining'),
    forbidBareNewline: bareNewlineMode(settings.string('smtpd_forbid_bare_newline')),
    bareNewlineExclusions: clients(settings, tables, 'smtpd_forbid_bare_newline_exclusions'),
    bareNewlineRejectCode: settings.int('smtpd_forbid_bare_newline_reject_code'),
    peernameLookup: settings.bool('smtpd_peername_lookup'),
    xclientHosts: clients(settings, tables, 'smtpd_authorized_xclient_hosts'),
    xforwardHosts: clients(settings, tables, 'smtpd_authorized_xforward_hosts'),
    localRewriteClients: clients(settings, tables, 'mynetworks'),
    localRewriteAny: settings.list('local_header_rewrite_clients'),
    inetInterfaces: settings.list('inet_interfaces'),
    contentFilter: settings.string('content_filter'),
    overrides: overridesOf(settings),
    clientConnectionLimit: settings.int('smtpd_client_connection_count_limit'),
    eventLimitExceptions: clients(settings, tables, 'smtpd_client_event_limit_exceptions'),
  };
}
