/** Whose rights a command of master.cf must not have: root's, and those of the mail system itself. pipe(8), spawn(8) */
import { getGroupByName, getUserByName } from '#native';
import type { Settings } from './settings.ts';

/**
 * Whose rights these are, in words of pipe(8); undefined when a command may have them.
 *
 * @param actsAsRoot false: the system of an ordinary user, which is its own mail_owner and runs commands as that user.
 */
export function privilegesOf(
  { uid, gid }: { readonly uid: number; readonly gid: number },
  settings: Settings,
  actsAsRoot: boolean,
): string | undefined {
  if (uid === 0) return 'root privileges';
  const ownerName = settings.string('mail_owner');
  const owner = getUserByName(ownerName);
  if (actsAsRoot && uid === owner?.uid) return `mail system owner ${ownerName}`;
  if (gid === 0) return 'privileged group id 0';
  if (!actsAsRoot) return undefined;
  if (gid === owner?.gid) return `mail system owner ${ownerName} group id ${gid}`;
  const setgid = settings.string('setgid_group');
  return gid === getGroupByName(setgid)?.gid ? `mail system ${setgid} group id ${gid}` : undefined;
}
