/** Locks on whole files that other programs respect: flock(2) and POSIX record locks. */
import { libcCall } from './libc-call.ts';

export type FileLockKind = 'flock' | 'fcntl';

const LOCK_SH_NB = 5;
const LOCK_EX_NB = 6;
const LOCK_UN = 8;
/** A lock of the open file: unlike a process's own, it also excludes other descriptors of the same process. fcntl(2) */
const F_OFD_SETLK = 37;
const F_WRLCK = 1;

/** struct flock on 64-bit Linux: type, whence, start, length, pid. */
function wholeFile(): Buffer {
  const lock = Buffer.alloc(32);
  lock.writeInt16LE(F_WRLCK, 0);
  return lock;
}

const flock = libcCall<[fd: number, operation: number]>('int flock(int fd, int operation)');
const fcntl = libcCall<[fd: number, command: number, lock: Buffer]>('int fcntl(int fd, int command, void *lock)');

/** Tries to lock for writing, without waiting. The lock ends with the descriptor. */
export function tryLockFile(fd: number, kind: FileLockKind): boolean {
  return (kind === 'flock' ? flock(fd, LOCK_EX_NB) : fcntl(fd, F_OFD_SETLK, wholeFile())) === 0;
}

/** Tries to share a `flock` with others who share it, without waiting; takes the place of what was held before. */
export function tryShareFile(fd: number): boolean {
  return flock(fd, LOCK_SH_NB) === 0;
}

/** Gives up a `flock`, if there is one. */
export function unlockFile(fd: number): void {
  flock(fd, LOCK_UN);
}
