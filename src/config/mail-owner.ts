/** mail_owner: whom the mail process runs as. postconf(5) */
import { getUserByName } from '#native';
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
  if (user === undefined) {
    throw new ConfigError([`mail_owner = ${name}: no such user; create it (useradd --system ${name}) or name another`]);
  }
  if (user.uid === 0) throw new ConfigError([`mail_owner = ${name}: this user is root; name one without privileges`]);
  return { uid: user.uid, gid: user.gid };
}
