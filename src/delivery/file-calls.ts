/** System calls on files, made in place or by another thread: what is done with them is the same. */
import {
  close,
  closeSync,
  fchown,
  fchownSync,
  fstat,
  fstatSync,
  ftruncate,
  ftruncateSync,
  lstat,
  lstatSync,
  open,
  openSync,
  type Stats,
  stat,
  statSync,
  unlink,
  unlinkSync,
  write,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';
import type { MaybePromise } from '#message';
import { syncInPlace, syncInThread, type SyncFile } from './disk-syncs.ts';

/** Each throws or rejects with the system's error. */
export interface FileCalls {
  readonly open: (path: string, flags: number, mode?: number) => MaybePromise<number>;
  readonly close: (fd: number) => MaybePromise<void>;
  readonly stat: (path: string) => MaybePromise<Stats>;
  readonly lstat: (path: string) => MaybePromise<Stats>;
  readonly fstat: (fd: number) => MaybePromise<Stats>;
  /** Gives how many bytes were taken, from the front. */
  readonly write: (fd: number, bytes: Buffer) => MaybePromise<number>;
  readonly truncate: (fd: number, bytes: number) => MaybePromise<void>;
  readonly unlink: (path: string) => MaybePromise<void>;
  readonly chown: (fd: number, uid: number, gid: number) => MaybePromise<void>;
  readonly sync: SyncFile;
}

const written = promisify(write);

/** For a process with other work, and for what may keep the caller waiting: pipes, devices. */
export const callsInThreads: FileCalls = {
  open: promisify(open),
  close: promisify(close),
  stat: promisify<string, Stats>(stat),
  lstat: promisify<string, Stats>(lstat),
  fstat: promisify<number, Stats>(fstat),
  write: async (fd, bytes) => (await written(fd, bytes)).bytesWritten,
  truncate: promisify(ftruncate),
  unlink: promisify(unlink),
  chown: promisify(fchown),
  sync: syncInThread,
};

/** For a process that does nothing else: a way through another thread costs more than most calls. */
export function callsInPlace(): FileCalls {
  return {
    open: openSync,
    close: closeSync,
    stat: (path) => statSync(path),
    lstat: (path) => lstatSync(path),
    fstat: (fd) => fstatSync(fd),
    write: (fd, bytes) => writeSync(fd, bytes),
    truncate: ftruncateSync,
    unlink: unlinkSync,
    chown: fchownSync,
    sync: syncInPlace(),
  };
}

/** Writes all of it. */
export async function writeWhole({ write }: Pick<FileCalls, 'write'>, fd: number, bytes: Buffer): Promise<void> {
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await write(fd, rest));
}
