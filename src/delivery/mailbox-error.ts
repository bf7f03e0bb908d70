/** Why a mailbox could not be written, with the status it means. local(8), virtual(8) */
import { constants } from 'node:os';

export class MailboxError extends Error {
  /** RFC 3463; without it `statusOfErrno` and the caller's default decide. */
  readonly status: string | undefined;
  readonly errno: string;
  readonly warnings: readonly string[];
  /** What stands in the mailbox's place is a directory, a device or the like. */
  readonly isNotRegular: boolean;
  /** Others held a lock for longer than is waited. */
  readonly isLocked: boolean;

  constructor(
    message: string,
    {
      status,
      errno = '',
      warnings = [],
      isNotRegular = false,
      isLocked = false,
    }: {
      status?: string | undefined;
      errno?: string;
      warnings?: readonly string[];
      isNotRegular?: boolean;
      isLocked?: boolean;
    } = {},
  ) {
    super(message);
    this.isNotRegular = isNotRegular;
    this.isLocked = isLocked;
    this.status = status;
    this.errno = errno;
    this.warnings = warnings;
  }

  /** The same, with what is to be told before its own warnings. */
  after(warnings: readonly string[]): MailboxError {
    const { message, status, errno, isNotRegular, isLocked } = this;
    return new MailboxError(message, {
      status,
      errno,
      isNotRegular,
      isLocked,
      warnings: [...warnings, ...this.warnings],
    });
  }
}

const texts: Readonly<Record<string, string>> = {
  EACCES: 'Permission denied',
  EAGAIN: 'Resource temporarily unavailable',
  EDQUOT: 'Disk quota exceeded',
  EEXIST: 'File exists',
  EFBIG: 'File too large',
  EIO: 'Input/output error',
  EISDIR: 'Is a directory',
  ELOOP: 'Too many levels of symbolic links',
  EMFILE: 'Too many open files',
  ENAMETOOLONG: 'File name too long',
  ENFILE: 'Too many open files in system',
  ENOENT: 'No such file or directory',
  ENOMEM: 'Cannot allocate memory',
  ENOSPC: 'No space left on device',
  ENOTDIR: 'Not a directory',
  EPERM: 'Operation not permitted',
  EPIPE: 'Broken pipe',
  EROFS: 'Read-only file system',
  ENOEXEC: 'Exec format error',
  ENXIO: 'No such device or address',
  ENODEV: 'No such device',
  ESTALE: 'Stale file handle',
  ETIMEDOUT: 'Connection timed out',
  ETXTBSY: 'Text file busy',
};

const errnoNames: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno).map(([name, number]) => [number, name]),
);

/** The name of a failed system call's error, `EDQUOT` for example; '' for other errors. */
export function errnoOf(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return '';
  const code = String(error.code);
  // Node has no name for a disk quota, a stale handle and some others
  if (Object.hasOwn(constants.errno, code) || !('errno' in error)) return code;
  return errnoNames.get(-Number(error.errno)) ?? code;
}

/** strerror(3) of a failed system call. */
export function errnoText(error: unknown): string {
  return texts[errnoOf(error)] ?? (error instanceof Error ? error.message : String(error));
}

/** The status some causes have whatever was being done. What a busy machine lacks for a moment costs no mail. */
const statuses: Readonly<Record<string, string>> = {
  EAGAIN: '4.2.0',
  ESTALE: '4.2.0',
  EDQUOT: '4.2.2',
  ENOSPC: '4.3.0',
  EFBIG: '5.2.2',
  EMFILE: '4.3.0',
  ENFILE: '4.3.0',
  ENOMEM: '4.3.0',
  EIO: '4.3.0',
  EROFS: '4.2.0',
};

export function statusOfErrno(errno: string, fallback: string): string {
  return statuses[errno] ?? fallback;
}
