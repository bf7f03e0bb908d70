/** Who is at the other end of a local socket. unix(7), SO_PEERCRED */
import { libcCall } from './libc-call.ts';

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** struct ucred: pid, uid, gid. */
const ucredBytes = 12;

const getsockopt = libcCall<[fd: number, level: number, name: number, value: Buffer, length: Buffer]>(
  'int getsockopt(int fd, int level, int name, void *value, void *length)',
);

/** Undefined: not a connected local socket. */
export function peerUserOf(fd: number): number | undefined {
  const credentials = Buffer.alloc(ucredBytes);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(ucredBytes);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, length) !== 0) return undefined;
  return credentials.readUInt32LE(4);
}
