/**
 * Who may submit mail, and as whom: authorized_submit_users, local_login_sender_maps. postdrop(1)
 *
 * Both are nearly always everybody; only other values are worth loading the tables.
 */
import type { Settings } from '#config';
import type { CliIo } from '../io.ts';

/** Why a user may not submit mail at all; undefined when he may. */
export async function submitProblem(uid: number, settings: Settings): Promise<string | undefined> {
  const parameter = 'authorized_submit_users';
  if (settings.string(parameter).startsWith('static:')) return undefined;
  const { refusedUser, TableOpener } = await import('#tables');
  const configDirectory = settings.string('config_directory');
  const tables = new TableOpener({ settings, configDirectory, warn: () => undefined });
  const refused = await refusedUser(parameter, uid, settings, tables);
  tables.closeAll();
  return refused === undefined ? undefined : `User ${refused} is not allowed to submit mail`;
}

/** Why a user may not send as `sender`; undefined when he may. */
export async function senderProblem(
  uid: number,
  sender: string,
  settings: Settings,
  io: CliIo,
): Promise<string | undefined> {
  if (settings.string('local_login_sender_maps') === 'static:*') return undefined;
  const { senderRight, TableOpener } = await import('#tables');
  const configDirectory = settings.string('config_directory');
  const warn = (text: string): void => io.stderr(`postdrop: warning: ${text}\n`);
  const tables = new TableOpener({ settings, configDirectory, warn });
  const right = await senderRight(uid, sender, settings, tables);
  tables.closeAll();
  return right.kind === 'allowed' ? undefined : right.reason;
}
