/**
 * mail_owner and default_privs of main.cf: users that there must be. Every program of Postfix but postconf(1) stops where
 * there is none. setgid_group is left out: nothing here has its rights, and an installation need not have one.
 */
import { readFileSync } from 'node:fs';
import { getUserByName, UserDatabaseError } from '#native';
import { placeOf } from './place.ts';
import type { SettingValues } from './setting-values.ts';

/** For root only: a system of an ordinary user runs as who started it. What is not set is looked at by who needs it. */
export function userProblems(settings: SettingValues, isRoot = process.getuid?.() === 0): readonly string[] {
  if (!isRoot) return [];
  return ['default_privs', 'mail_owner'].flatMap((parameter) => {
    if (!settings.isSet(parameter)) return [];
    const value = settings.string(parameter);
    const reason = whyUnusable(value);
    const place = placeOf(settings.origin(parameter));
    return reason === undefined ? [] : [`${place}bad value for parameter ${parameter}: "${value}": ${reason}`];
  });
}

function whyUnusable(name: string): string | undefined {
  const uid = uidOf(name);
  return uid === undefined ? undefined : userProblem(name, uid);
}

/** Why a user of this uid, or a name that nobody has, may not be who the mail system acts as; undefined when it may. */
export function userProblem(name: string, uid: number | 'unknown'): string | undefined {
  if (uid === 'unknown') return `no such user; create it (useradd --system ${name}) or name another`;
  return uid === 0 ? 'this user is root; name one without privileges' : undefined;
}

/** Undefined when it can't be told now: no reason to keep a command from its work. */
function uidOf(name: string): number | 'unknown' | undefined {
  // every command comes by here, and the C library costs 10 ms
  const listed = uidInFile('/etc/passwd', name);
  if (listed !== undefined) return listed;
  try {
    return getUserByName(name)?.uid ?? 'unknown';
  } catch (error) {
    if (error instanceof UserDatabaseError) return undefined;
    throw error;
  }
}

function uidInFile(path: string, name: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined; // all users of such a machine are known elsewhere
  }
  const line = text.split('\n').find((entry) => entry.startsWith(`${name}:`));
  return line === undefined ? undefined : Number(line.split(':')[2]);
}
