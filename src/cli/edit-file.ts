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
import { systemErrorText } from './system-error.ts';

/** How long somebody else's edit may take. */
const lockSeconds = 60;
const lockPauseMs = 10;

/** What keeps an edit from being made. */
export class EditError extends Error {}

function attempt<T>(what: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new EditError(`${what}: ${systemErrorText(error)}`, { cause: error });
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
  const end = Date.now() + lockSeconds * 1000;
  for (;;) {
    const fd = attempt(`open ${temporary}`, () => openSync(temporary, O_RDWR | O_CREAT, 0o600));
    if (tryLockFile(fd, 'flock') && isStillAt(temporary, fd)) {
      ftruncateSync(fd);
      return fd;
    }
    closeSync(fd);
    if (Date.now() > end) throw new EditError(`lock ${temporary}: another process is editing the file`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lockPauseMs);
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
