/** What the client reads of the configuration, compiled once per service. smtp(8), postconf(5) smtp_* and lmtp_*. */
import {
  type AddressFamily,
  familiesOf,
  type ListElement,
  type PortOf,
  type ServiceEntry,
  type Settings,
  tcpPorts,
} from '#config';
import type { MimeLimits } from '#message';
import { oneOf } from './one-of.ts';
import { compileTimeouts, type Timeouts } from './timeouts.ts';
import { compileTlsSettings, type TlsSettings } from './tls-settings.ts';

export type ClientProtocol = 'smtp' | 'lmtp';

export interface SmtpSettings {
  readonly protocol: ClientProtocol;
  readonly serviceName: string;
  /** Gives `smtp_NAME` or `lmtp_NAME`, for warnings. */
  readonly parameter: (name: string) => string;
  /** Name of the parameter that says which keywords of which server are ignored: SMTP has EHLO, LMTP LHLO. */
  readonly discardKeywordMaps: string;
  readonly myHostname: string;
  readonly heloName: string;
  readonly queueDirectory: string;
  readonly defaultPort: string;
  readonly portOf: PortOf;
  readonly relayHost: string;
  readonly fallbackRelays: readonly string[];
  readonly bestMxTransport: string;
  readonly dnsLookups: boolean;
  /** What DNS says would have to be signed. smtp_dns_support_level */
  readonly hasDnssec: boolean;
  readonly resolverOptions: readonly string[];
  readonly hostLookup: readonly string[];
  readonly families: readonly AddressFamily[];
  readonly addressPreference: 'any' | 'ipv4' | 'ipv6';
  readonly balanceFamilies: boolean;
  readonly randomizeAddresses: boolean;
  readonly deferIfNoMxAddress: boolean;
  readonly ignoreMxLookupError: boolean;
  /** use_srv_lookup and its fallbacks. */
  readonly srv: {
    readonly services: readonly ListElement[];
    readonly allowsFallback: boolean;
    readonly ignoresErrors: boolean;
  };
  readonly mxAddressLimit: number;
  readonly mxSessionLimit: number;
  readonly bindAddress: { readonly ipv4: string; readonly ipv6: string; readonly enforce: boolean };
  readonly alwaysEhlo: boolean;
  readonly neverEhlo: boolean;
  readonly skip5xxGreeting: boolean;
  readonly skipQuitResponse: boolean;
  readonly sendXforward: boolean;
  readonly quoteEnvelope: boolean;
  readonly lineLengthLimit: number;
  readonly replyLengthLimit: number;
  readonly discardKeywords: readonly string[];
  readonly pixWorkarounds: readonly string[];
  readonly pixThresholdMs: number;
  readonly pixDelayMs: number;
  readonly probeStage: 'rcpt' | 'data';
  readonly mimeConversion: boolean;
  readonly mimeLimits: MimeLimits;
  readonly softBounce: boolean;
  /** Warnings say what to do. helpful_warnings */
  readonly helpfulWarnings: boolean;
  readonly assumeFinal: boolean;
  readonly addReturnPath: boolean;
  readonly addOriginalTo: boolean;
  readonly addDeliveredTo: boolean;
  readonly finalDelivery: boolean;
  readonly recipientDelimiter: string;
  readonly propagateGenericExtension: boolean;
  readonly cache: {
    readonly onDemand: boolean;
    readonly destinations: readonly ListElement[];
    readonly idleMs: number;
    readonly lifetimeMs: number;
    /** Further messages after the first. */
    readonly useLimit: number;
  };
  readonly timeouts: Timeouts;
  /** Timeouts are for a whole request or reply; content earns time by its bytes. */
  readonly perRequestDeadline: boolean;
  /** Bytes a second. */
  readonly minDataRate: number;
  /** notify_classes, in lower case. */
  readonly notifyClasses: ReadonlySet<string>;
  readonly doubleBounceSender: string;
  readonly tables: {
    readonly pixWorkarounds: readonly ListElement[];
    readonly discardKeywords: readonly ListElement[];
    readonly generic: readonly ListElement[];
    readonly headerChecks: readonly ListElement[];
    readonly mimeHeaderChecks: readonly ListElement[];
    readonly nestedHeaderChecks: readonly ListElement[];
    readonly bodyChecks: readonly ListElement[];
    readonly replyFilter: readonly ListElement[];
    readonly dnsReplyFilter: readonly ListElement[];
    readonly tlsPolicy: readonly ListElement[];
    readonly requireTls: readonly ListElement[];
  };
  /** minimal_backoff_time */
  readonly minimalBackoffMs: number;
  /** No delivery takes longer. daemon_timeout */
  readonly daemonTimeoutMs: number;
  /** REQUIRETLS of a message counts. requiretls_enable */
  readonly requireTls: boolean;
  /** `TLS-Required: no` of a message counts. tls_required_enable */
  readonly tlsRequiredField: boolean;
  readonly tls: TlsSettings;
  readonly sasl: {
    readonly isEnabled: boolean;
    readonly passwordMaps: readonly ListElement[];
    readonly mechanismFilter: readonly ListElement[];
    readonly senderDependent: boolean;
    readonly options: readonly string[];
    readonly tlsOptions: readonly string[];
    readonly delimiter: string;
    readonly softBounce: boolean;
    readonly doubleBounceName: string;
  };
}

/** Reads the settings of one master.cf service. */
export function compileSettings(settings: Settings, service: ServiceEntry, protocol: ClientProtocol): SmtpSettings {
  const own = (name: string): string => `${protocol}_${name}`;
  const smtp = protocol === 'smtp';
  const flags = serviceFlags(service.args);
  const discardKeywordMaps = smtp ? 'smtp_discard_ehlo_keyword_address_maps' : 'lmtp_discard_lhlo_keyword_address_maps';
  const dns = settings.string(own('dns_support_level')).toLowerCase();
  const dnsLookups = dns === '' ? !settings.bool('disable_dns_lookups') : dns !== 'disabled';
  return {
    protocol,
    serviceName: service.name,
    parameter: own,
    discardKeywordMaps,
    myHostname: settings.string('myhostname'),
    heloName: settings.string(smtp ? 'smtp_helo_name' : 'lmtp_lhlo_name'),
    queueDirectory: settings.string('queue_directory'),
    defaultPort: settings.string(own('tcp_port')),
    portOf: tcpPorts(settings),
    relayHost: settings.string('relayhost'),
    fallbackRelays: settings.list(own('fallback_relay')),
    bestMxTransport: settings.string('best_mx_transport'),
    dnsLookups,
    hasDnssec: dns === 'dnssec',
    resolverOptions: settings.list(own('dns_resolver_options')),
    // without DNS the system's way is the only one left, whatever smtp_host_lookup says
    hostLookup: dnsLookups ? settings.list(own('host_lookup')).map((name) => name.toLowerCase()) : ['native'],
    families: familiesOf(settings),
    addressPreference: oneOf(settings.string(own('address_preference')), ['any', 'ipv4', 'ipv6'], 'any'),
    balanceFamilies: settings.bool(own('balance_inet_protocols')),
    randomizeAddresses: settings.bool(own('randomize_addresses')),
    deferIfNoMxAddress: settings.bool(own('defer_if_no_mx_address_found')),
    ignoreMxLookupError: settings.bool('ignore_mx_lookup_error'),
    srv: {
      services: settings.elements('use_srv_lookup'),
      allowsFallback: settings.bool('allow_srv_lookup_fallback'),
      ignoresErrors: settings.bool('ignore_srv_lookup_error'),
    },
    mxAddressLimit: settings.int(own('mx_address_limit')),
    mxSessionLimit: settings.int(own('mx_session_limit')),
    bindAddress: {
      ipv4: settings.string(own('bind_address')),
      ipv6: settings.string(own('bind_address6')),
      enforce: settings.bool(own('bind_address_enforce')),
    },
    alwaysEhlo: smtp && settings.bool('smtp_always_send_ehlo'),
    neverEhlo: smtp && settings.bool('smtp_never_send_ehlo'),
    skip5xxGreeting: settings.bool(own('skip_5xx_greeting')),
    skipQuitResponse: settings.bool(own('skip_quit_response')),
    sendXforward: settings.bool(own('send_xforward_command')),
    quoteEnvelope: settings.bool(own('quote_rfc821_envelope')),
    lineLengthLimit: settings.int(own('line_length_limit')),
    replyLengthLimit: settings.int('line_length_limit'),
    discardKeywords: upper(settings.list(smtp ? 'smtp_discard_ehlo_keywords' : 'lmtp_discard_lhlo_keywords')),
    pixWorkarounds: settings.list(own('pix_workarounds')),
    pixThresholdMs: settings.ms(own('pix_workaround_threshold_time')),
    pixDelayMs: settings.timerMs(own('pix_workaround_delay_time')),
    probeStage: settings.string(own('address_verify_target')).toLowerCase() === 'data' ? 'data' : 'rcpt',
    mimeConversion: !settings.bool('disable_mime_output_conversion'),
    mimeLimits: {
      nesting: settings.int('mime_nesting_limit'),
      boundaryLength: settings.int('mime_boundary_length_limit'),
    },
    softBounce: settings.bool('soft_bounce'),
    helpfulWarnings: settings.bool('helpful_warnings'),
    assumeFinal: !smtp && settings.bool('lmtp_assume_final'),
    addReturnPath: flags.includes('R'),
    addOriginalTo: flags.includes('O'),
    addDeliveredTo: flags.includes('D'),
    finalDelivery: flags.includes('X'),
    recipientDelimiter: settings.string('recipient_delimiter'),
    propagateGenericExtension: settings.list('propagate_unmatched_extensions').includes('generic'),
    cache: {
      onDemand: settings.bool(own('connection_cache_on_demand')),
      destinations: settings.elements(own('connection_cache_destinations')),
      idleMs: settings.timerMs(own('connection_cache_time_limit')),
      lifetimeMs: settings.ms(own('connection_reuse_time_limit')),
      useLimit: settings.int(own('connection_reuse_count_limit')),
    },
    perRequestDeadline: settings.bool(own('per_request_deadline')),
    minDataRate: settings.int(own('min_data_rate')),
    doubleBounceSender: `${settings.string('double_bounce_sender')}@${settings.string('myhostname')}`,
    notifyClasses: new Set(settings.list('notify_classes').map((word) => word.toLowerCase())),
    timeouts: compileTimeouts(settings, protocol),
    tables: {
      pixWorkarounds: settings.elements(own('pix_workaround_maps')),
      discardKeywords: settings.elements(discardKeywordMaps),
      generic: settings.elements(own('generic_maps')),
      headerChecks: settings.elements(own('header_checks')),
      mimeHeaderChecks: settings.elements(own('mime_header_checks')),
      nestedHeaderChecks: settings.elements(own('nested_header_checks')),
      bodyChecks: settings.elements(own('body_checks')),
      replyFilter: settings.elements(own('reply_filter')),
      dnsReplyFilter: settings.elements(own('dns_reply_filter')),
      tlsPolicy: settings.elements(own('tls_policy_maps')),
      requireTls: settings.elements(own('requiretls_policy')),
    },
    minimalBackoffMs: settings.ms('minimal_backoff_time'),
    daemonTimeoutMs: settings.timerMs('daemon_timeout'),
    requireTls: settings.bool('requiretls_enable'),
    tlsRequiredField: settings.bool('tls_required_enable'),
    tls: compileTlsSettings(settings, protocol),
    sasl: {
      isEnabled: settings.bool(own('sasl_auth_enable')),
      passwordMaps: settings.elements(own('sasl_password_maps')),
      mechanismFilter: settings.elements(own('sasl_mechanism_filter')),
      senderDependent: settings.bool(own('sender_dependent_authentication')),
      options: settings.list(own('sasl_security_options')),
      tlsOptions: settings.list(own('sasl_tls_security_options')),
      delimiter: settings.string(own('sasl_password_result_delimiter')),
      softBounce: settings.bool(own('sasl_auth_soft_bounce')),
      doubleBounceName: settings.string('double_bounce_sender'),
    },
  };
}

/** Letters of `flags=` in master.cf (pipe(8) and smtp(8) share them). */
function serviceFlags(args: readonly string[]): string {
  return args.map((arg) => /^\{?\s*flags=(\w*)/i.exec(arg)?.[1] ?? '').join('');
}

function upper(words: readonly string[]): readonly string[] {
  return words.map((word) => word.toUpperCase());
}
