/**
 * As whom processes of receiving users may run. The mail process asks for them and may have been taken over: with a
 * group of its choice (shadow, disk) it would have what is root's.
 */
import { readFileSync, statSync } from 'node:fs';
import { type Configuration, privilegesOf, type ServiceEntry, type Settings, splitServiceArguments } from '#config';
import { getGroupByName, getUserById, getUserByName } from '#native';

export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

const isSame = (one: Identity, other: Identity): boolean => one.uid === other.uid && one.gid === other.gid;

/** Where default_privs is `nobody` and there is no such user. */
const nobody: Identity = { uid: 65_534, gid: 65_534 };

/** Gives whether mail may be delivered so; never as root. That throws UserDatabaseError where users can't be looked up. */
export function delivererRights(configuration: Configuration): (who: Identity) => boolean {
  const { services } = configuration;
  const settingsFor = (entry: ServiceEntry): Settings => configuration.settingsFor(entry);
  const of = (command: string): readonly ServiceEntry[] => services.filter((entry) => entry.command === command);
  const spools = new Set(of('local').map((entry) => settingsFor(entry).string('mail_spool_directory')));
  const virtuals = of('virtual').map(settingsFor);
  return (who) => {
    if (who.uid === 0 || who.gid === 0) return false;
    if (virtuals.some((settings) => mayBeVirtual(who, settings))) return true;
    if (isUsersOwn(who) || isSame(who, nobody)) return true;
    if (of('pipe').some((entry) => isPipeUser(who, entry, settingsFor(entry)))) return true;
    return [...spools].some((directory) => isSpoolGroup(who.gid, directory)) && getUserById(who.uid) !== undefined;
  };
}

/** A user with the group of the user database, which may have several names for one number. */
function isUsersOwn({ uid, gid }: Identity): boolean {
  if (getUserById(uid)?.gid === gid) return true;
  const lines = readFileSync('/etc/passwd', 'latin1').split('\n');
  return lines.some((line) => {
    const [, , user, group] = line.split(':');
    return Number(user) === uid && Number(group) === gid;
  });
}

/** `user=` of pipe(8). */
function isPipeUser(who: Identity, { args }: ServiceEntry, settings: Settings): boolean {
  const [userName = '', groupName = ''] = (splitServiceArguments(args).attributes.get('user') ?? '').split(':');
  const user = getUserByName(userName);
  const gid = groupName === '' ? user?.gid : getGroupByName(groupName)?.gid;
  return user?.uid === who.uid && gid === who.gid && privilegesOf(who, settings, true) === undefined;
}

/** That of a spool where mailboxes are made with its group: where the group may write, and not everybody. local(8) */
function isSpoolGroup(gid: number, directory: string): boolean {
  try {
    const status = statSync(directory);
    return status.gid === gid && (status.mode & 0o022) === 0o020;
  } catch {
    return false; // mail is not written there, either
  }
}

/** What virtual(8) may find in its tables. Those of other types than static: can give any number. */
function mayBeVirtual({ uid, gid }: Identity, settings: Settings): boolean {
  const uids = staticNumbers(settings, 'virtual_uid_maps');
  if (uid < settings.int('virtual_minimum_uid') || uids?.has(uid) === false) return false;
  const gids = staticNumbers(settings, 'virtual_gid_maps');
  return gids?.has(gid) ?? !isSystemGroup(gid, settings);
}

/** Undefined where not all tables say themselves what they give. */
function staticNumbers(settings: Settings, parameter: string): ReadonlySet<number> | undefined {
  const found = settings.list(parameter).map((text) => /^(?:proxy:)?static:(\d+)$/.exec(text)?.[1]);
  const known = found.filter((text) => text !== undefined);
  return known.length === found.length ? new Set(known.map(Number)) : undefined;
}

/** Who is in one of them reads or changes what is root's, or can become root. Under other names they are not known here. */
const systemGroups = [
  'adm admin crontab disk docker incus incus-admin kmem kvm libvirt lxd operator podman shadow ssl-cert staff sudo sys',
  'systemd-journal tty utmp wheel',
].flatMap((names) => names.split(' '));

function isSystemGroup(gid: number, settings: Settings): boolean {
  if (getUserByName(settings.string('mail_owner'))?.gid === gid) return true;
  return [settings.string('setgid_group'), ...systemGroups].some((name) => getGroupByName(name)?.gid === gid);
}
