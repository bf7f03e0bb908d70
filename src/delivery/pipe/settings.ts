/** What master.cf says of a pipe(8) transport: flags=, user=, argv= and the others. */
import {
  ConfigError,
  type ExtensionRules,
  placeOfService,
  privilegesOf,
  readExtensionRules,
  type ServiceEntry,
  type Settings,
  splitServiceArguments,
  unescape,
  unknownAttribute,
} from '#config';
import { getGroupByName, getUserByName } from '#native';
import { exportedEnvironment } from '../command-environment.ts';

export interface PipeSettings {
  readonly service: string;
  readonly masterFile: string;
  readonly flags: ReadonlySet<string>;
  readonly softBounce: boolean;
  readonly uid: number;
  readonly gid: number;
  /** Why no command may run as that user. */
  readonly refusal: string | undefined;
  /** Whether this machine has the user, and the group if one is named. */
  readonly isUserKnown: boolean;
  readonly argv: readonly string[];
  readonly directory: string;
  readonly lineEnd: string;
  readonly nullSender: string;
  /** Bytes; 0: no limit. */
  readonly sizeLimit: number;
  readonly limitMs: number;
  readonly split: ExtensionRules;
  readonly environment: Readonly<Record<string, string>>;
}

const knownFlags = 'BDFORXhqu.>';
const knownAttributes = ['flags', 'user', 'directory', 'chroot', 'eol', 'size', 'null_sender'];

/** Throws ConfigError, with the entry's file and line. `actsAsRoot`: false in the system of an ordinary user. */
export function readPipeSettings(entry: ServiceEntry, settings: Settings, actsAsRoot: boolean): PipeSettings {
  const refuse = (text: string): ConfigError => new ConfigError([`${placeOfService(entry, 'pipe')}${text}`]);
  const { attributes, argv } = splitServiceArguments(entry.args);
  const stray = unknownAttribute(attributes, knownAttributes);
  if (stray !== undefined) throw refuse(stray);
  if (argv.length === 0) throw refuse('missing argv= attribute; write the command after it, last of all');
  if (attributes.has('chroot')) throw refuse('chroot= is not supported; remove it');
  const [userName = '', groupName = ''] = (attributes.get('user') ?? '').split(':');
  if (userName === '') throw refuse('missing user= attribute; name the user that the command runs as');
  const user = getUserByName(userName);
  const group = groupName === '' ? undefined : getGroupByName(groupName);
  // Postfix starts, too, with users that are not there or may not be, and fails when mail comes: so do stock entries for lists and uucp
  const uid = user?.uid ?? -1;
  const gid = group?.gid ?? user?.gid ?? -1;
  const refusal = (): string | undefined => {
    if (user === undefined) return `get_service_attr: unknown username: ${userName}`;
    if (groupName !== '' && group === undefined) return `get_service_attr: unknown group: ${groupName}`;
    const privileges = privilegesOf({ uid, gid }, settings, actsAsRoot);
    return privileges === undefined ? undefined : `user= command-line attribute specifies ${privileges}`;
  };
  const flags = new Set((attributes.get('flags') ?? '').split(''));
  const unknown = [...flags].find((flag) => !knownFlags.includes(flag));
  if (unknown !== undefined) throw refuse(`unknown flag "${unknown}"; the flags are ${knownFlags}`);
  const size = attributes.get('size') ?? '0';
  if (!/^\d+$/.test(size)) throw refuse(`bad size= attribute "${size}"; write a number of bytes`);
  return {
    service: entry.name,
    masterFile: `${settings.string('config_directory')}/master.cf`,
    flags,
    softBounce: settings.bool('soft_bounce'),
    uid,
    gid,
    refusal: refusal(),
    isUserKnown: user !== undefined && (groupName === '' || group !== undefined),
    argv,
    directory: attributes.get('directory') ?? '',
    lineEnd: unescape(attributes.get('eol') ?? String.raw`\n`),
    nullSender: attributes.get('null_sender') ?? 'MAILER-DAEMON',
    sizeLimit: Number(size),
    limitMs: settings.timerMs(`${entry.name}_time_limit`),
    split: readExtensionRules(settings),
    environment: exportedEnvironment(settings, process.env),
  };
}
