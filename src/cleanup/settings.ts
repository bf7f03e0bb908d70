/** Settings of cleanup as plain fields, with its tables. cleanup(8) */
import { type ExtensionRules, readExtensionRules, type Settings, unescape } from '#config';
import type { MatchList, TableList, TableOpener } from '#tables';
import { byteSet, type ByteSet } from './characters.ts';

/** Tables with the name of the parameter that lists them, for the log. */
export interface NamedTables {
  readonly name: string;
  readonly list: TableList;
}

export interface CleanupSettings extends ExtensionRules {
  readonly myhostname: string;
  readonly myorigin: string;
  readonly mydestination: MatchList;
  readonly longQueueIds: boolean;
  readonly propagates: ReadonlySet<string>;
  readonly canonicalClasses: ReadonlySet<string>;
  readonly senderCanonicalClasses: ReadonlySet<string>;
  readonly recipientCanonicalClasses: ReadonlySet<string>;
  readonly masqueradeClasses: ReadonlySet<string>;
  readonly masqueradeDomains: readonly string[];
  readonly masqueradeExceptions: MatchList;
  readonly canonical: NamedTables;
  readonly senderCanonical: NamedTables;
  readonly recipientCanonical: NamedTables;
  readonly virtualAlias: NamedTables;
  readonly senderBcc: NamedTables;
  readonly recipientBcc: NamedTables;
  readonly alwaysBcc: string;
  /** Who gets what is sent to nobody. */
  readonly emptyAddressRecipient: string;
  readonly aliasExpansionLimit: number;
  readonly aliasRecursionLimit: number;
  readonly aliasLengthLimit: number;
  readonly enableOriginalRecipient: boolean;
  readonly duplicateFilterLimit: number;
  readonly headerChecks: NamedTables;
  readonly mimeHeaderChecks: NamedTables;
  readonly nestedHeaderChecks: NamedTables;
  readonly bodyChecks: NamedTables;
  readonly bodyChecksSizeLimit: number;
  /** `notify` and `bounce`: our own mail that is checked like that of others (internal_mail_filter_classes). */
  readonly checkedOwnMail: ReadonlySet<string>;
  /** Sources whose mail is looked at for UTF-8 that it did not announce; `all`. smtputf8_autodetect_classes */
  readonly utf8Detection: ReadonlySet<string>;
  readonly dropHeaders: ReadonlySet<string>;
  readonly messageSizeLimit: number;
  readonly headerSizeLimit: number;
  readonly headerTokenLimit: number;
  readonly hopcountLimit: number;
  readonly alwaysAddMissing: boolean;
  readonly undisclosedRecipients: string;
  readonly headerEndAction: string;
  readonly replaceStrayCrLf: boolean;
  readonly rejectCharacters: ByteSet | undefined;
  readonly stripCharacters: ByteSet | undefined;
  readonly headerFromStandard: boolean;
  readonly fullNameCharset: string;
  readonly remoteRewriteDomain: string;
  readonly detects8bit: boolean;
  readonly readsMime: boolean;
  /** 8-bit content becomes quoted-printable on its way in. force_mime_input_conversion */
  readonly convertsTo7bit: boolean;
  readonly mimeNestingLimit: number;
  readonly mimeBoundaryLimit: number;
  readonly lineLengthLimit: number;
  readonly strict7bitHeaders: boolean;
  readonly strict7bitBody: boolean;
  readonly strictEncodingDomain: boolean;
  /** REQUIRETLS is told by a header field, too. requiretls_esmtp_header */
  readonly requireTlsField: boolean;
  /** tls_required_enable */
  readonly tlsRequiredField: boolean;
}

export function compileSettings(settings: Settings, tables: TableOpener): CleanupSettings {
  const set = (name: string): ReadonlySet<string> => new Set(settings.list(name).map((word) => word.toLowerCase()));
  const named = (name: string): NamedTables => ({ name, list: tables.listOf(name) });
  // lines of mail are what they are
  const checks = (name: string): NamedTables => ({ name, list: tables.listOf(name, { anyBytes: true }) });
  const readsMime = !settings.bool('disable_mime_input_processing');
  const strict = (name: string): boolean => readsMime && settings.bool(name);
  return {
    myhostname: settings.string('myhostname'),
    myorigin: settings.string('myorigin'),
    longQueueIds: settings.bool('enable_long_queue_ids'),
    ...readExtensionRules(settings),
    propagates: set('propagate_unmatched_extensions'),
    canonicalClasses: set('canonical_classes'),
    senderCanonicalClasses: set('sender_canonical_classes'),
    recipientCanonicalClasses: set('recipient_canonical_classes'),
    masqueradeClasses: set('masquerade_classes'),
    masqueradeDomains: settings.list('masquerade_domains'),
    mydestination: tables.matchList('mydestination', 'string', settings.elements('mydestination')),
    masqueradeExceptions: tables.matchList(
      'masquerade_exceptions',
      'string',
      settings.elements('masquerade_exceptions'),
    ),
    canonical: named('canonical_maps'),
    senderCanonical: named('sender_canonical_maps'),
    recipientCanonical: named('recipient_canonical_maps'),
    virtualAlias: named('virtual_alias_maps'),
    senderBcc: named('sender_bcc_maps'),
    recipientBcc: named('recipient_bcc_maps'),
    alwaysBcc: settings.string('always_bcc'),
    emptyAddressRecipient: settings.string('empty_address_recipient'),
    aliasExpansionLimit: settings.int('virtual_alias_expansion_limit'),
    aliasRecursionLimit: settings.int('virtual_alias_recursion_limit'),
    aliasLengthLimit: settings.int('virtual_alias_address_length_limit'),
    enableOriginalRecipient: settings.bool('enable_original_recipient'),
    duplicateFilterLimit: settings.int('duplicate_filter_limit'),
    headerChecks: checks('header_checks'),
    mimeHeaderChecks: checks('mime_header_checks'),
    nestedHeaderChecks: checks('nested_header_checks'),
    bodyChecks: checks('body_checks'),
    bodyChecksSizeLimit: settings.int('body_checks_size_limit'),
    checkedOwnMail: set('internal_mail_filter_classes'),
    utf8Detection: settings.bool('smtputf8_enable') ? set('smtputf8_autodetect_classes') : new Set(),
    dropHeaders: set('message_drop_headers'),
    messageSizeLimit: settings.int('message_size_limit'),
    headerSizeLimit: settings.int('header_size_limit'),
    headerTokenLimit: settings.int('header_address_token_limit'),
    hopcountLimit: settings.int('hopcount_limit'),
    alwaysAddMissing: settings.bool('always_add_missing_headers'),
    undisclosedRecipients: settings.string('undisclosed_recipients_header'),
    headerEndAction: settings.string('non_empty_end_of_header_action').toLowerCase(),
    replaceStrayCrLf: settings.bool('cleanup_replace_stray_cr_lf'),
    rejectCharacters: byteSet(unescape(settings.string('message_reject_characters'))),
    stripCharacters: byteSet(unescape(settings.string('message_strip_characters'))),
    headerFromStandard: settings.string('header_from_format').toLowerCase() !== 'obsolete',
    fullNameCharset: settings.string('full_name_encoding_charset'),
    remoteRewriteDomain: settings.string('remote_header_rewrite_domain'),
    detects8bit: settings.bool('detect_8bit_encoding_header'),
    readsMime,
    convertsTo7bit: readsMime && settings.bool('force_mime_input_conversion'),
    mimeNestingLimit: settings.int('mime_nesting_limit'),
    mimeBoundaryLimit: settings.int('mime_boundary_length_limit'),
    lineLengthLimit: settings.int('line_length_limit'),
    strict7bitHeaders: strict('strict_8bitmime') || strict('strict_7bit_headers'),
    strict7bitBody: strict('strict_8bitmime') || strict('strict_8bitmime_body'),
    strictEncodingDomain: strict('strict_mime_encoding_domain'),
    requireTlsField: settings.bool('requiretls_enable') && settings.bool('requiretls_esmtp_header'),
    tlsRequiredField: settings.bool('tls_required_enable'),
  };
}
