/** Settings of cleanup as plain fields, with its tables. cleanup(8) */
import { type Settings, unescape } from '#config';
import type { TableList, TableOpener } from '#tables';
import { byteSet, type ByteSet } from './characters.ts';

export interface CleanupSettings {
  readonly myhostname: string;
  readonly myorigin: string;
  readonly mailName: string;
  readonly longQueueIds: boolean;
  readonly recipientDelimiter: string;
  readonly ownerRequestSpecial: boolean;
  readonly doubleBounceName: string;
  readonly propagates: ReadonlySet<string>;
  readonly canonicalClasses: ReadonlySet<string>;
  readonly senderCanonicalClasses: ReadonlySet<string>;
  readonly recipientCanonicalClasses: ReadonlySet<string>;
  readonly masqueradeClasses: ReadonlySet<string>;
  readonly masqueradeDomains: readonly string[];
  readonly masqueradeExceptions: ReadonlySet<string>;
  readonly canonical: TableList;
  readonly senderCanonical: TableList;
  readonly recipientCanonical: TableList;
  readonly virtualAlias: TableList;
  readonly senderBcc: TableList;
  readonly recipientBcc: TableList;
  readonly alwaysBcc: string;
  readonly aliasExpansionLimit: number;
  readonly aliasRecursionLimit: number;
  readonly enableOriginalRecipient: boolean;
  readonly duplicateFilterLimit: number;
  readonly headerChecks: TableList;
  readonly mimeHeaderChecks: TableList;
  readonly bodyChecks: TableList;
  readonly bodyChecksSizeLimit: number;
  readonly dropHeaders: ReadonlySet<string>;
  readonly messageSizeLimit: number;
  readonly headerSizeLimit: number;
  readonly headerTokenLimit: number;
  readonly hopcountLimit: number;
  readonly alwaysAddMissing: boolean;
  readonly undisclosedRecipients: string;
  readonly replaceStrayCrLf: boolean;
  readonly headerFromStandard: boolean;
  readonly remoteRewriteDomain: string;
  readonly rejectCharacters: ByteSet | undefined;
  readonly stripCharacters: ByteSet | undefined;
}

export function compileSettings(settings: Settings, tables: TableOpener): CleanupSettings {
  const set = (name: string): ReadonlySet<string> => new Set(settings.list(name).map((word) => word.toLowerCase()));
  const list = (name: string): TableList => tables.list(settings.elements(name));
  const messageSizeLimit = settings.int('message_size_limit');
  return {
    myhostname: settings.string('myhostname'),
    myorigin: settings.string('myorigin'),
    mailName: settings.string('mail_name'),
    longQueueIds: settings.bool('enable_long_queue_ids'),
    recipientDelimiter: settings.string('recipient_delimiter'),
    ownerRequestSpecial: settings.bool('owner_request_special'),
    doubleBounceName: settings.string('double_bounce_sender'),
    propagates: set('propagate_unmatched_extensions'),
    canonicalClasses: set('canonical_classes'),
    senderCanonicalClasses: set('sender_canonical_classes'),
    recipientCanonicalClasses: set('recipient_canonical_classes'),
    masqueradeClasses: set('masquerade_classes'),
    masqueradeDomains: settings.list('masquerade_domains'),
    masqueradeExceptions: set('masquerade_exceptions'),
    canonical: list('canonical_maps'),
    senderCanonical: list('sender_canonical_maps'),
    recipientCanonical: list('recipient_canonical_maps'),
    virtualAlias: list('virtual_alias_maps'),
    senderBcc: list('sender_bcc_maps'),
    recipientBcc: list('recipient_bcc_maps'),
    alwaysBcc: settings.string('always_bcc'),
    aliasExpansionLimit: settings.int('virtual_alias_expansion_limit'),
    aliasRecursionLimit: settings.int('virtual_alias_recursion_limit'),
    enableOriginalRecipient: settings.bool('enable_original_recipient'),
    duplicateFilterLimit: settings.int('duplicate_filter_limit'),
    headerChecks: list('header_checks'),
    mimeHeaderChecks: list('mime_header_checks'),
    rejectCharacters: byteSet(unescape(settings.string('message_reject_characters'))),
    stripCharacters: byteSet(unescape(settings.string('message_strip_characters'))),
    bodyChecks: list('body_checks'),
    bodyChecksSizeLimit: settings.int('body_checks_size_limit'),
    dropHeaders: set('message_drop_headers'),
    messageSizeLimit,
    headerSizeLimit: settings.int('header_size_limit'),
    headerTokenLimit: settings.int('header_address_token_limit'),
    hopcountLimit: settings.int('hopcount_limit'),
    alwaysAddMissing: settings.bool('always_add_missing_headers'),
    undisclosedRecipients: settings.string('undisclosed_recipients_header'),
    replaceStrayCrLf: settings.bool('cleanup_replace_stray_cr_lf'),
    headerFromStandard: settings.string('header_from_format') !== 'obsolete',
    remoteRewriteDomain: settings.string('remote_header_rewrite_domain'),
  };
}
