/** The parameters of local(8), read once. */
import { ConfigError, type ExtensionRules, placeOf, readExtensionRules, type Settings } from '#config';
import { byteFilter, type ByteFilter } from '#message';
import { getUserByName, type SystemUser } from '#native';
import type { TableList, TableOpener } from '#tables';
import { exportedEnvironment } from '../command-environment.ts';
import { readLockRules } from '../lock-rules.ts';
import type { LockRules } from '../mailbox-locks.ts';

export type ExpansionKind = 'alias' | 'forward' | 'include' | 'none';

/** Whose rights a delivery has. */
export interface Rights {
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

/** Those of a user for commands and files. Root's are for `nobody`, default_privs: nothing a message says runs as root. */
export function rightsOf({ uid, gid, home, shell }: SystemUser, nobody: Rights): Rights {
  return uid === 0 ? { ...nobody, home, shell } : { uid, gid, home, shell };
}

export interface LocalSettings {
  readonly aliases: TableList;
  readonly mailboxTransportMaps: TableList;
  readonly mailboxTransport: string;
  readonly mailboxCommandMaps: TableList;
  readonly mailboxCommand: string;
  readonly fallbackTransportMaps: TableList;
  readonly fallbackTransport: string;
  readonly luserRelay: string;
  readonly homeMailbox: string;
  readonly spoolDirectory: string;
  /** comsat(8) is told of mail in the spool. */
  readonly tellsNewMail: boolean;
  readonly forwardPath: string;
  readonly forwardFilter: ByteFilter;
  readonly locks: LockRules;
  readonly sizeLimit: number;
  readonly isOwnerStrict: boolean;
  readonly needsHome: boolean;
  readonly softBounce: boolean;
  /** prepend_delivered_header */
  readonly deliveredIn: ReadonlySet<string>;
  /** Of .forward and include files, in bytes. line_length_limit */
  readonly lineLengthLimit: number;
  readonly duplicateFilterLimit: number;
  /** Addresses are UTF-8, and nothing else. smtputf8_enable */
  readonly takesUtf8: boolean;
  /** enable_original_recipient */
  readonly showsOriginal: boolean;
  readonly commandsFrom: ReadonlySet<string>;
  readonly filesFrom: ReadonlySet<string>;
  readonly propagatesIn: ReadonlySet<string>;
  readonly split: ExtensionRules;
  readonly expandsOwner: boolean;
  readonly resetsOwner: boolean;
  readonly isDeliveredToFrozen: boolean;
  /** default_privs: who acts where nobody better is known. */
  readonly nobody: Rights;
  readonly shell: string;
  readonly commandLimitMs: number;
  readonly commandFilter: ByteFilter;
  readonly commandDirectory: string;
  readonly directoryFilter: ByteFilter;
  readonly environment: Readonly<Record<string, string>>;
  readonly myhostname: string;
  readonly mailName: string;
}

/** A machine without `nobody` still has a user without rights; any other name must be known. */
function readNobody(settings: Settings): Rights {
  const name = settings.string('default_privs');
  const user = getUserByName(name);
  const reason = whyPrivileged(user, settings.string('mail_owner'));
  if (reason !== undefined && (user !== undefined || name !== 'nobody')) {
    const place = placeOf(settings.origin('default_privs'));
    throw new ConfigError([
      `${place}bad value for parameter default_privs: "${name}": ${reason}; name a user without privileges`,
    ]);
  }
  return { uid: user?.uid ?? 65_534, gid: user?.gid ?? 65_534, home: '', shell: '' };
}

function whyPrivileged(user: SystemUser | undefined, mailOwner: string): string | undefined {
  if (user === undefined) return 'no such user';
  if (user.uid === 0) return 'this user is root';
  if (user.gid === 0) return "its group is root's";
  return user.uid === getUserByName(mailOwner)?.uid ? 'mail_owner is the same user' : undefined;
}

export function readLocalSettings(settings: Settings, tables: TableOpener): LocalSettings {
  const list = (name: string): TableList => tables.listOf(name, { paranoid: true });
  const words = (name: string): ReadonlySet<string> => new Set(settings.list(name).map((word) => word.toLowerCase()));
  return {
    aliases: list('alias_maps'),
    mailboxTransportMaps: list('mailbox_transport_maps'),
    mailboxTransport: settings.string('mailbox_transport'),
    mailboxCommandMaps: list('mailbox_command_maps'),
    mailboxCommand: settings.string('mailbox_command'),
    fallbackTransportMaps: list('fallback_transport_maps'),
    fallbackTransport: settings.string('fallback_transport'),
    luserRelay: settings.string('luser_relay'),
    homeMailbox: settings.string('home_mailbox'),
    spoolDirectory: settings.string('mail_spool_directory'),
    tellsNewMail: settings.bool('biff'),
    forwardPath: settings.string('forward_path'),
    forwardFilter: byteFilter(settings.string('forward_expansion_filter')),
    locks: readLockRules(settings, 'mailbox_delivery_lock'),
    sizeLimit: settings.int('mailbox_size_limit'),
    isOwnerStrict: settings.bool('strict_mailbox_ownership'),
    needsHome: settings.bool('require_home_directory'),
    deliveredIn: words('prepend_delivered_header'),
    lineLengthLimit: settings.int('line_length_limit'),
    duplicateFilterLimit: settings.int('duplicate_filter_limit'),
    takesUtf8: settings.bool('smtputf8_enable'),
    softBounce: settings.bool('soft_bounce'),
    showsOriginal: settings.bool('enable_original_recipient'),
    commandsFrom: words('allow_mail_to_commands'),
    filesFrom: words('allow_mail_to_files'),
    propagatesIn: words('propagate_unmatched_extensions'),
    split: readExtensionRules(settings),
    expandsOwner: settings.bool('expand_owner_alias'),
    resetsOwner: settings.bool('reset_owner_alias'),
    isDeliveredToFrozen: settings.bool('frozen_delivered_to'),
    nobody: readNobody(settings),
    shell: settings.string('local_command_shell'),
    commandLimitMs: settings.timerMs('command_time_limit'),
    commandFilter: byteFilter(settings.string('command_expansion_filter')),
    commandDirectory: settings.string('command_execution_directory'),
    directoryFilter: byteFilter(settings.string('execution_directory_expansion_filter')),
    environment: exportedEnvironment(settings, process.env),
    myhostname: settings.string('myhostname'),
    mailName: settings.string('mail_name'),
  };
}
