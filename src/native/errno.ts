/** The names of what system calls fail with, and the C library's words for them. errno(3), strerror(3) */
import { constants } from 'node:os';

/** As a table: loading koffi costs more than most commands take, and Node has words of its own. */
const texts: Readonly<Record<string, string>> = {
  E2BIG: 'Argument list too long',
  EACCES: 'Permission denied',
  EADDRINUSE: 'Address already in use',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  EAFNOSUPPORT: 'Address family not supported by protocol',
  EAGAIN: 'Resource temporarily unavailable',
  EALREADY: 'Operation already in progress',
  EBADF: 'Bad file descriptor',
  EBUSY: 'Device or resource busy',
  ECONNABORTED: 'Software caused connection abort',
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  EDEADLK: 'Resource deadlock avoided',
  EDQUOT: 'Disk quota exceeded',
  EEXIST: 'File exists',
  EFAULT: 'Bad address',
  EFBIG: 'File too large',
  EHOSTDOWN: 'Host is down',
  EHOSTUNREACH: 'No route to host',
  EINTR: 'Interrupted system call',
  EINVAL: 'Invalid argument',
  EIO: 'Input/output error',
  EISCONN: 'Transport endpoint is already connected',
  EISDIR: 'Is a directory',
  ELOOP: 'Too many levels of symbolic links',
  EMFILE: 'Too many open files',
  EMLINK: 'Too many links',
  EMSGSIZE: 'Message too long',
  ENAMETOOLONG: 'File name too long',
  ENETDOWN: 'Network is down',
  ENETRESET: 'Network dropped connection on reset',
  ENETUNREACH: 'Network is unreachable',
  ENFILE: 'Too many open files in system',
  ENOBUFS: 'No buffer space available',
  ENODEV: 'No such device',
  ENOENT: 'No such file or directory',
  ENOEXEC: 'Exec format error',
  ENOLCK: 'No locks available',
  ENOMEM: 'Cannot allocate memory',
  ENOPROTOOPT: 'Protocol not available',
  ENOSPC: 'No space left on device',
  ENOSYS: 'Function not implemented',
  ENOTCONN: 'Transport endpoint is not connected',
  ENOTDIR: 'Not a directory',
  ENOTEMPTY: 'Directory not empty',
  ENOTSOCK: 'Socket operation on non-socket',
  ENOTSUP: 'Operation not supported',
  ENOTTY: 'Inappropriate ioctl for device',
  ENXIO: 'No such device or address',
  EPERM: 'Operation not permitted',
  EPIPE: 'Broken pipe',
  EPROTO: 'Protocol error',
  EPROTONOSUPPORT: 'Protocol not supported',
  EPROTOTYPE: 'Protocol wrong type for socket',
  EROFS: 'Read-only file system',
  ESPIPE: 'Illegal seek',
  ESRCH: 'No such process',
  ESTALE: 'Stale file handle',
  ETIMEDOUT: 'Connection timed out',
  ETXTBSY: 'Text file busy',
  EXDEV: 'Invalid cross-device link',
};

/** First come the names that Node uses where a number has two, as EAGAIN has. */
const names: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno)
    .map(([name, number]) => [number, name] as const)
    .reverse(),
);

/** strerror(3) for the name of an error; undefined for one that has no text here. */
export function textOfErrno(name: string): string | undefined {
  return texts[name];
}

/** strerror(3) for the number of an error; the number itself where it has no text here. */
export function textOfErrnoNumber(errno: number): string {
  return texts[names.get(errno) ?? ''] ?? `errno ${errno}`;
}

/** The name of a failed system call's error, ENOENT for example; Node's code for what is none, '' without one. */
export function errnoOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const code = 'code' in error ? String(error.code) : '';
  // Node has no name for a disk quota, a stale handle and some others
  if (Object.hasOwn(constants.errno, code) || !('errno' in error)) return code;
  return names.get(-Number(error.errno)) ?? code;
}

/** strerror(3) of a failed system call; the message of any other error. */
export function errnoText(error: unknown): string {
  return texts[errnoOf(error)] ?? thrownText(error);
}

/** What was thrown, in its own words. For what a system call fails with, `errnoText` has those of the C library. */
export function thrownText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
