/**
 * The locks of a running system, so that no second one works on its queue or its data: on pid/master.pid below
 * $queue_directory and on master.lock in $data_directory. They are flock(2)s, as master(8) takes them, so that Postfix's
 * own programs respect them too; they end with the process, however it ends, and its children don't inherit them.
 */
import { closeSync, constants, fchmodSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { errnoText, tryLockFile } from '#native';
import { asUser } from './as-user.ts';
import { openPidDirectory, type PidDirectory } from './pid-directory.ts';
import { pidFilePath, removePidFile } from './pid-file.ts';
import { removeRefusal } from './reload-mark.ts';

export interface LockedPlaces {
  readonly queueDirectory: string;
  readonly dataDirectory: string;
  /** Whose the data directory is; undefined for an ordinary user, who stays who they are. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
}

export type Locking =
  | { readonly kind: 'held'; readonly locks: SystemLocks }
  /** `taken`: by another system. `failed`: there is no lock to be had. `problem` is master(8)'s text. */
  | { readonly kind: 'taken' | 'failed'; readonly problem: string };

/** Held as long as it is not released. */
export class SystemLocks {
  readonly pidDirectory: PidDirectory;
  readonly #pidFd: number;
  readonly #dataFd: number;

  constructor(pidDirectory: PidDirectory, pidFd: number, dataFd: number) {
    this.pidDirectory = pidDirectory;
    this.#pidFd = pidFd;
    this.#dataFd = dataFd;
  }

  /** Gives the locks up and takes the pid file away. Once only. */
  release(): void {
    // the pid file last: whoever waits for its end may start the next system at once
    closeSync(this.#dataFd);
    removeRefusal(this.pidDirectory);
    removePidFile(this.pidDirectory);
    this.pidDirectory.close();
    closeSync(this.#pidFd);
  }
}

/** Takes both locks and writes down who holds them. Where it can't, no file is another's or names this process. */
export function lockSystem({ queueDirectory, dataDirectory, owner }: LockedPlaces): Locking {
  let pidDirectory: PidDirectory;
  try {
    pidDirectory = openPidDirectory(queueDirectory);
  } catch (error) {
    return refusal('failed', 'pid/master.pid', `cannot open file: ${errnoText(error)}`);
  }
  const pidFile = openLocked(pidDirectory.path('master.pid'), 'pid/master.pid');
  if (pidFile.kind !== 'held') {
    pidDirectory.close();
    return pidFile;
  }
  const dataPath = `${dataDirectory}/master.lock`;
  const dataLock = asUser(owner, () => openLocked(dataPath, dataPath));
  if (dataLock.kind !== 'held') {
    removePidFile(pidDirectory);
    pidDirectory.close();
    closeSync(pidFile.fd);
    return dataLock;
  }
  for (const { fd } of [pidFile, dataLock]) writePid(fd);
  return { kind: 'held', locks: new SystemLocks(pidDirectory, pidFile.fd, dataLock.fd) };
}

/** Whether a system holds the lock of this queue. False for a queue that is not there, or can't be looked at. */
export function isQueueLocked(queueDirectory: string): boolean {
  let fd: number;
  try {
    fd = openSync(pidFilePath(queueDirectory), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return false; // none that we could tell of; whoever takes the lock is told why it can't be had
  }
  try {
    return !tryLockFile(fd, 'flock');
  } finally {
    closeSync(fd);
  }
}

type Opened =
  | { readonly kind: 'held'; readonly fd: number }
  | { readonly kind: 'taken' | 'failed'; readonly problem: string };

/** A system that ends takes its file away; the next one begins with another. More would be somebody's game. */
const mostAttempts = 10;

/** Who may open a file may lock it, and keep the next system from its start. */
const lockMode = 0o600;

type Refusal = Exclude<Opened, { readonly kind: 'held' }>;

/** `name`: what messages call the file. */
const refusal = (kind: Refusal['kind'], name: string, why: string): Refusal => ({
  kind,
  problem: `open lock file ${name}: ${why}`,
});

function openLocked(path: string, name: string): Opened {
  const refuse = (kind: Refusal['kind'], why: string): Refusal => refusal(kind, name, why);
  for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
    let fd: number;
    try {
      fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, lockMode);
    } catch (error) {
      return refuse('failed', `cannot open file: ${errnoText(error)}`);
    }
    const isLocked = tryLockFile(fd, 'flock');
    const { nlink, mode } = fstatSync(fd);
    if (isLocked && nlink === 1) {
      if ((mode & 0o777) !== lockMode) fchmodSync(fd, lockMode);
      return { kind: 'held', fd };
    }
    closeSync(fd);
    // safe_open(3): root must not write to what somebody has given another name
    if (nlink > 1) return refuse('failed', `file has ${nlink} hard links`);
    if (!isLocked && nlink > 0)
      return refuse('taken', 'unable to set exclusive lock: Resource temporarily unavailable');
  }
  return refuse('failed', 'it is taken away again and again');
}

function writePid(fd: number): void {
  const length = writeSync(fd, `${String(process.pid).padStart(16)}\n`, 0);
  ftruncateSync(fd, length);
}
