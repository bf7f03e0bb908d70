/** Edits a file as a whole: main.cf, master.cf. One after the other, as postconf(1) does it. */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tryLockFile } from '#native';

/** How long somebody else's edit may take. */
const lockSeconds = 60;

/** What keeps an edit from being made. */
export class EditError extends Error {}

/** Why a file can't be used, as strerror(3) says it. Throws what is no error of a file. */
export function because(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'No such file or directory';
  if (code === 'EACCES') return 'Permission denied';
  if (code === 'ENOTDIR') return 'Not a directory';
  if (code === 'EISDIR') return 'Is a directory';
  if (code === 'EROFS') return 'Read-only file system';
  if (code === 'ENOSPC') return 'No space left on device';
  throw error;
}

function attempt<T>(what: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new EditError(`${what}: ${because(error)}`, { cause: error });
  }
}

/** Whether nobody has put the file in place, or removed it, while we waited for its lock. */
function isStillAt(path: string, fd: number): boolean {
  const [own, there] = [fstatSync(fd), statSync(path, { throwIfNoEntry: false })];
  return there !== undefined && there.ino === own.ino && there.dev === own.dev;
}

/** Opens the file that becomes the new one, empty. Its lock, Postfix's too, keeps other edits out until it is closed. */
function openLocked(temporary: string): number {
  const { O_RDWR, O_CREAT } = constants;
  for (
    const end = Date.now() + lockSeconds * 1000;
    ;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
  ) {
    const fd = attempt(`open ${temporary}`, () => openSync(temporary, O_RDWR | O_CREAT, 0o600));
    if (tryLockFile(fd, 'flock') && isStillAt(temporary, fd)) {
      ftruncateSync(fd);
      return fd;
    }
    closeSync(fd);
    if (Date.now() > end) throw new EditError(`lock ${temporary}: another process is editing the file`);
  }
}

/** Replaces a file as a whole: readers see the old or the new text, with the same owner and mode. */
export function editFile(path: string, edit: (text: string) => string): void {
  const temporary = `${path}.tmp`;
  const fd = openLocked(temporary);
  try {
    const old = attempt(`open ${path} for reading`, () => readFileSync(path));
    const text = edit(old.toString('latin1'));
    attempt(`write ${temporary}`, () => {
      // all of it, or it fails: a single write takes what a nearly full disk has room for
      writeFileSync(fd, text, 'latin1');
      fsyncSync(fd);
    });
    const { mode, uid, gid } = statSync(path);
    fchmodSync(fd, mode & 0o7777);
    if (process.getuid?.() === 0) fchownSync(fd, uid, gid);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary);
    throw error;
  } finally {
    closeSync(fd);
  }
}
