/** Who is at the other end of a local socket. unix(7), SO_PEERCRED */
import { koffi } from './koffi.ts';

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** struct ucred: pid, uid, gid. */
const ucredBytes = 12;

type GetSocketOption = (fd: number, level: number, name: number, value: Buffer, length: Buffer) => number;

let bound: GetSocketOption | undefined;

/** Bound once: what koffi binds stays in memory. */
function libcCall(): GetSocketOption {
  if (bound !== undefined) return bound;
  const call = koffi().load('libc.so.6').func('int getsockopt(int fd, int level, int name, void *value, void *length)');
  bound = (...args) => Number(call(...args));
  return bound;
}

/** Undefined: not a connected local socket. */
export function peerUserOf(fd: number): number | undefined {
  const getsockopt = libcCall();
  const credentials = Buffer.alloc(ucredBytes);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(ucredBytes);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, length) !== 0) return undefined;
  return credentials.readUInt32LE(4);
}
