/** Opening the mail log as the supervisor: maillog_file within maillog_file_prefixes. postconf(5) */
import { existsSync, fchmodSync, fchownSync, fstatSync, lstatSync, openSync } from 'node:fs';
import { ConfigError, placeOf, type Settings } from '#config';
import { errnoText } from '#native';

/** Descriptor of the log file, or undefined when the log goes to syslog. Throws ConfigError. */
export function openLogFile(
  settings: Settings,
  owner?: { readonly uid: number; readonly gid: number },
): number | undefined {
  const path = settings.string('maillog_file');
  if (path === '') return undefined;
  const setting = `${placeOf(settings.origin('maillog_file'))}maillog_file = ${path}`;
  const prefixes = settings.list('maillog_file_prefixes');
  if (!prefixes.some((prefix) => path.startsWith(prefix))) {
    throw new ConfigError([`${setting}: it must begin with one of maillog_file_prefixes (${prefixes.join(' ')})`]);
  }
  if (path === '/dev/stdout') return 1;
  const mode = Number.parseInt(settings.string('maillog_file_permissions'), 8) || 0o600;
  try {
    const isNew = !existsSync(path);
    const fd = openSync(path, 'a', mode);
    if (isNew) fchmodSync(fd, mode);
    if (owner !== undefined && isItself(path, fd)) fchownSync(fd, owner.uid, owner.gid);
    return fd;
  } catch (error) {
    throw new ConfigError([`${setting}: ${errnoText(error)}`]);
  }
}

/** Not what a link leads to, which may be anybody's: the directory may be the owner's, who could have put one there. */
function isItself(path: string, fd: number): boolean {
  const [opened, named] = [fstatSync(fd), lstatSync(path)];
  return opened.isFile() && opened.nlink === 1 && opened.ino === named.ino && opened.dev === named.dev;
}
