/** What a process hands on to the programs it starts. */
import { readdirSync } from 'node:fs';
import { libcCall } from './libc-call.ts';

const F_SETFD = 2;
const F_DUPFD_CLOEXEC = 1030;
const FD_CLOEXEC = 1;
const firstAfterStandard = 3;

const fcntl = libcCall<[fd: number, command: number, flags: number]>('int fcntl(int fd, int command, int flags)');

/**
 * Marks every descriptor above standard error as not to be inherited, those from our own starter included: a daemon
 * that keeps a pipe of the shell or of cron open would keep its reader waiting for ever.
 */
export function keepDescriptorsPrivate(): void {
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name);
    // one that is closed by now (that of the listing itself) is no error
    if (fd >= firstAfterStandard) fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
}

/** A second descriptor of the same open file or socket, not to be inherited either. */
export const duplicateDescriptor = (fd: number): number => fcntl(fd, F_DUPFD_CLOEXEC, firstAfterStandard);
