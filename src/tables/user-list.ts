/** Parameters that list the users who may do something: authorized_flush_users and kin. postconf(5) */
import type { Settings } from '#config';
import { getUserById, getUserByName } from '#native';
import type { TableOpener } from './opener.ts';

/** `name(uid)` of a user who may not; undefined when the user may. Root and the owner of the mail system always may. */
export async function refusedUser(
  parameter: string,
  uid: number,
  settings: Settings,
  tables: TableOpener,
): Promise<string | undefined> {
  const elements = settings.elements(parameter);
  if (uid === 0 || elements[0]?.text.startsWith('static:') === true) return undefined;
  if (uid === getUserByName(settings.string('mail_owner'))?.uid) return undefined;
  const name = getUserById(uid)?.name ?? 'unknown';
  const isListed = await tables.matchList(parameter, 'string', elements).matches(name);
  return isListed === 'yes' ? undefined : `${name}(${uid})`;
}
