/** The directories of an installation: what `postfix check` makes and mends before a start. postfix(1) */
import { chmodSync, closeSync, constants, fchmodSync, fchownSync, fstatSync, openSync, statSync } from 'node:fs';
import { ConfigError, type MailOwner, mailOwner, placeOf, type Settings } from '#config';
import { errnoOf } from '#native';
import { storeFileNames } from '#store';
import { makeDirectory, unfitness } from './make-directory.ts';

interface Directory {
  readonly path: string;
  readonly mode: number;
  readonly ofOwner: boolean;
  /** Root's parent directory holds it: a link there is the operator's. */
  readonly mayBeLink?: boolean;
}

/** What stands below $queue_directory and $data_directory. */
function directories(settings: Settings): readonly Directory[] {
  const queue = settings.string('queue_directory');
  return [
    { path: queue, mode: 0o755, ofOwner: true, mayBeLink: true },
    { path: settings.string('data_directory'), mode: 0o700, ofOwner: true, mayBeLink: true },
    { path: `${queue}/pid`, mode: 0o755, ofOwner: false },
    { path: `${queue}/public`, mode: 0o755, ofOwner: true },
    { path: `${queue}/private`, mode: 0o700, ofOwner: true },
    // anybody may leave a message, nobody may look at another's: no set-group-ID program is needed
    { path: `${queue}/maildrop`, mode: 0o1733, ofOwner: true },
  ];
}

const root: MailOwner = { uid: 0, gid: 0 };

/** Makes them. Throws a ConfigError for a place that can't hold them, before anything there is changed. */
export function makeQueueDirectories(settings: Settings): void {
  const owner = mailOwner(settings);
  const problems = ['queue_directory', 'data_directory'].flatMap((name) => {
    const path = settings.string(name);
    const why = unfitness(path);
    if (why === undefined) return [];
    return [`${placeOf(settings.origin(name))}${name} = ${path}: ${why}; name a directory of its own on a disk`];
  });
  if (problems.length > 0) throw new ConfigError(problems);
  for (const { path, mode, ofOwner, mayBeLink = false } of directories(settings)) {
    makeDirectory(path);
    if (owner !== undefined) giveDirectory({ path, mode, mayBeLink, owner: ofOwner ? owner : root });
    else if ((statSync(path).mode & 0o7777) !== mode) chmodSync(path, mode);
  }
  if (owner !== undefined) giveFilesTo(owner, settings.string('queue_directory'));
}

interface Gift {
  readonly path: string;
  /** Undefined: it keeps its own. */
  readonly mode?: number;
  /** Undefined: it keeps its own. */
  readonly owner?: MailOwner;
  readonly mayBeLink?: boolean;
}

/** Below the queue directory its owner could have put a link to what is root's: no name is trusted twice. */
export function giveDirectory({ path, mode, owner, mayBeLink = false }: Gift): void {
  const fd = openDirectory(path, mayBeLink ? 0 : constants.O_NOFOLLOW);
  try {
    if (mode !== undefined && (fstatSync(fd).mode & 0o7777) !== mode) fchmodSync(fd, mode);
    if (owner !== undefined) fchownSync(fd, owner.uid, owner.gid);
  } finally {
    closeSync(fd);
  }
}

function openDirectory(path: string, more: number): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | more);
  } catch (error) {
    if (!['ELOOP', 'ENOTDIR'].includes(errnoOf(error))) throw error;
    throw new ConfigError([`${path}: not a directory but a symbolic link; remove it`]);
  }
}

/** The queue of a backup that root unpacked is the mail system's again. */
function giveFilesTo(owner: MailOwner, queue: string): void {
  for (const name of storeFileNames) {
    let fd;
    try {
      fd = openSync(`${queue}/${name}`, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch {
      // not there, or a link, which whoever opens the queue is told of
      continue;
    }
    try {
      const status = fstatSync(fd);
      if (status.isFile() && status.nlink === 1 && status.uid !== owner.uid) fchownSync(fd, owner.uid, owner.gid);
    } finally {
      closeSync(fd);
    }
  }
}
