/** A file in the making that takes another's place by rename(2): readers see the old or the new one, also after a crash. */
import { closeSync, constants, fstatSync, ftruncateSync, lstatSync, openSync, rmSync } from 'node:fs';
import { errnoOf } from './errno.ts';
import { tryLockFile } from './file-locks.ts';

/** How long somebody else's file may be in the making. */
const lockSeconds = 60;
const lockPauseMs = 10;

/** Whether the name still leads to the file that was locked: others may have renamed or removed it while we waited. */
function isStillAt(path: string, fd: number): boolean {
  const [own, there] = [fstatSync(fd), lstatSync(path, { throwIfNoEntry: false })];
  return there !== undefined && there.ino === own.ino && there.dev === own.dev;
}

/** What another user left, or gave a second name, is not written to. */
function isOurs(fd: number): boolean {
  const { uid, nlink } = fstatSync(fd);
  return uid === process.geteuid?.() && nlink === 1;
}

interface Opened {
  readonly fd: number;
  /** Made by this call. */
  readonly isNew: boolean;
}

function openOrMake(path: string): Opened {
  const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  try {
    return { fd: openSync(path, O_RDWR | O_CREAT | O_EXCL, 0o600), isNew: true };
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  return { fd: openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600), isNew: false };
}

/**
 * Opens the file, empty and mode 600. Its lock, Postfix's too, keeps others out until it is closed; what a killed
 * process left is taken over. Undefined when somebody else doesn't come to an end; throws what the system says.
 */
export function openReplacement(path: string): number | undefined {
  const end = Date.now() + lockSeconds * 1000;
  for (;;) {
    const { fd, isNew } = openOrMake(path);
    try {
      if (tryLockFile(fd, 'flock') && isStillAt(path, fd)) {
        // file systems of other systems, as vfat, give every file to one user
        if (isNew || isOurs(fd)) {
          ftruncateSync(fd);
          return fd;
        }
        rmSync(path);
      }
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    closeSync(fd);
    if (Date.now() > end) return undefined;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lockPauseMs);
  }
}
