/** Locks on whole files that other programs respect: flock(2) and POSIX record locks. */
import { koffi } from './koffi.ts';

export type FileLockKind = 'flock' | 'fcntl';

const LOCK_EX_NB = 6;
/** A lock of the open file: unlike a process's own, it also excludes other descriptors of the same process. fcntl(2) */
const F_OFD_SETLK = 37;
const F_WRLCK = 1;

/** struct flock on 64-bit Linux: type, whence, start, length, pid. */
function wholeFile(): Buffer {
  const lock = Buffer.alloc(32);
  lock.writeInt16LE(F_WRLCK, 0);
  return lock;
}

interface Calls {
  flock(fd: number, operation: number): number;
  fcntl(fd: number, command: number, lock: Buffer): number;
}

let calls: Calls | undefined;

/** Bound once: what koffi binds stays in memory. */
function lockCalls(): Calls {
  if (calls !== undefined) return calls;
  const libc = koffi().load('libc.so.6');
  const flock = libc.func('int flock(int fd, int operation)');
  const fcntl = libc.func('int fcntl(int fd, int command, void *lock)');
  calls = {
    flock: (fd, operation) => Number(flock(fd, operation)),
    fcntl: (fd, command, lock) => Number(fcntl(fd, command, lock)),
  };
  return calls;
}

/** Tries to lock for writing, without waiting. The lock ends with the descriptor. */
export function tryLockFile(fd: number, kind: FileLockKind): boolean {
  const libc = lockCalls();
  return (kind === 'flock' ? libc.flock(fd, LOCK_EX_NB) : libc.fcntl(fd, F_OFD_SETLK, wholeFile())) === 0;
}
