/** mail_owner: whom the mail process runs as. postconf(5) */
import { getUserByName } from '#native';
import { userProblem } from './named-users.ts';
import { ConfigError, type Settings } from './settings.ts';

export interface MailOwner {
  readonly uid: number;
  readonly gid: number;
}

/** uid and gid of mail_owner when started as root; undefined for an ordinary user, who stays who they are. */
export function mailOwner(settings: Settings): MailOwner | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const name = settings.string('mail_owner');
  const user = getUserByName(name);
  const problem = userProblem(name, user?.uid ?? 'unknown');
  if (user === undefined || problem !== undefined) throw new ConfigError([`mail_owner = ${name}: ${problem ?? ''}`]);
  return { uid: user.uid, gid: user.gid };
}
