/** What a session knows of logging in: whether it can be done now, by which mechanisms, and who did it. SASL_README */
import type { Mechanism } from '#sasl';
import { isListed } from './access-rights.ts';
import { usableMechanisms } from './login-settings.ts';
import { warn } from './session-log.ts';
import type { Session } from './session.ts';

/** The method of a login that another server tells of. XCLIENT_README */
export const loginByXclient = 'XCLIENT';

export class SessionLogin {
  /** Who has logged in; '' when nobody has. */
  user = '';
  /** How, as the client wrote it. */
  method = '';
  /** What a client may use; undefined: it can't log in. */
  mechanisms: readonly Mechanism[] | undefined;
  /** What EHLO says of that. */
  announced: readonly string[] = [];
  /** Of whom the login server spoke last, for the log. */
  lastNamed: string | undefined;
}

/**
 * Forgets who has logged in, and finds out how it can be done: when a session begins, and when it begins anew by
 * STARTTLS or XCLIENT. Where logins are wanted and nobody can be asked, the session is over, as in Postfix. False: it is.
 */
export async function beginLogin(session: Session): Promise<boolean> {
  const login = new SessionLogin();
  session.login = login;
  const { login: settings, tls, isStandAlone, knownUser = '' } = session.options;
  if (knownUser !== '') {
    login.user = knownUser;
    login.method = settings === undefined ? loginByXclient : 'PLAIN';
  }
  const needsTls = knownUser === '' && (settings?.needsTls === true || tls?.isDemanded === true);
  if (settings === undefined || isStandAlone || (needsTls && session.tls === undefined)) return true;
  const usable = await usableMechanisms(settings, session.tls !== undefined);
  if (usable.kind === 'none') {
    for (const text of usable.warnings) warn(session, text);
    session.die(usable.fatal);
    return false;
  }
  login.mechanisms = usable.mechanisms;
  login.announced = usable.announced;
  return true;
}

/** What EHLO says of AUTH. smtpd_sasl_exceptions_networks, broken_sasl_auth_clients */
export async function authKeywords({ login, options, discarded, client }: Session): Promise<readonly string[]> {
  const { login: settings } = options;
  if (settings === undefined || login.announced.length === 0 || discarded.has('auth')) return [];
  // these can, but are not told
  if (await isListed(settings.exceptions, client)) return [];
  const names = login.announced.join(' ');
  return settings.announcesOldForm ? [`AUTH ${names}`, `AUTH=${names}`] : [`AUTH ${names}`];
}
