/** Why a mailbox could not be written, with the status it means. local(8), virtual(8) */

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
