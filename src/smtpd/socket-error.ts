/** The C library's words for what went wrong with a connection that the SMTP server opened. */

const texts: Readonly<Record<string, string>> = {
  EACCES: 'Permission denied',
  EAGAIN: 'Resource temporarily unavailable',
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  EHOSTUNREACH: 'No route to host',
  EMFILE: 'Too many open files',
  ENETUNREACH: 'Network is unreachable',
  ENOENT: 'No such file or directory',
  ENOSPC: 'No space left on device',
  ENOTSOCK: 'Socket operation on non-socket',
  EPIPE: 'Broken pipe',
  EROFS: 'Read-only file system',
  ETIMEDOUT: 'Connection timed out',
};

/** ECONNREFUSED and the like; '' when the error has no such name. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Text for the name of an error; undefined for one that is not known here. */
export function textOfCode(code: string): string | undefined {
  return texts[code];
}

export function errorText(error: unknown): string {
  return textOfCode(errorCode(error)) ?? (error instanceof Error ? error.message : String(error));
}
