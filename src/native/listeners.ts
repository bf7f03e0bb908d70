/**
 * Listening sockets as plain file descriptors: the supervisor opens them and hands them on without ever accepting a
 * connection itself (node:net would).
 */
import { textOfErrnoNumber } from './errno.ts';
import { koffi } from './koffi.ts';
import { libcCall } from './libc-call.ts';

export type ListenerResult =
  | { readonly kind: 'ok'; readonly fd: number }
  | { readonly kind: 'failed'; readonly reason: string };

const socket = libcCall<[family: number, type: number, protocol: number]>(
  'int socket(int family, int type, int protocol)',
);
const setsockopt = libcCall<[fd: number, level: number, name: number, value: Buffer, length: number]>(
  'int setsockopt(int fd, int level, int name, const void *value, uint32_t length)',
);
const bind = libcCall<[fd: number, address: Buffer, length: number]>(
  'int bind(int fd, const void *address, uint32_t length)',
);
const inetPton = libcCall<[family: number, text: Buffer, bytes: Buffer]>(
  'int inet_pton(int family, const void *text, void *bytes)',
);
const listen = libcCall<[fd: number, backlog: number]>('int listen(int fd, int backlog)');
const close = libcCall<[fd: number]>('int close(int fd)');

const lastError = (): string => textOfErrnoNumber(koffi().errno());

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM_CLOEXEC = 0o2000001;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_REUSEPORT = 15;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;

/** struct sockaddr_in or sockaddr_in6; undefined when `address` is none of the family. */
function socketAddress(family: number, address: string, port: number): Buffer | undefined {
  const isV4 = family === AF_INET;
  const out = Buffer.alloc(isV4 ? 16 : 28);
  out.writeUInt16LE(family, 0);
  out.writeUInt16BE(port, 2);
  return inetPton(family, Buffer.from(`${address}\0`), out.subarray(isV4 ? 4 : 8)) === 1 ? out : undefined;
}

function switchOn(fd: number, level: number, name: number): void {
  const on = Buffer.alloc(4);
  on.writeInt32LE(1);
  setsockopt(fd, level, name, on, 4);
}

/** Lets another socket of this user listen on the same port, if that one asks for it when it is opened. socket(7), SO_REUSEPORT */
export const sharePort = (fd: number): void => switchOn(fd, SOL_SOCKET, SO_REUSEPORT);

/** Opens, binds and listens. `address`: of either family, without brackets. */
export function openListener(address: string, port: number, backlog: number, sharesPort: boolean): ListenerResult {
  const family = address.includes(':') ? AF_INET6 : AF_INET;
  const place = socketAddress(family, address, port);
  if (place === undefined) return { kind: 'failed', reason: `${address} is no address` };
  const fd = socket(family, SOCK_STREAM_CLOEXEC, 0);
  if (fd < 0) return { kind: 'failed', reason: `socket: ${lastError()}` };
  switchOn(fd, SOL_SOCKET, SO_REUSEADDR);
  if (sharesPort) sharePort(fd);
  if (family === AF_INET6) switchOn(fd, IPPROTO_IPV6, IPV6_V6ONLY);
  if (bind(fd, place, place.length) < 0 || listen(fd, backlog) < 0) {
    const reason = lastError();
    close(fd);
    return { kind: 'failed', reason };
  }
  return { kind: 'ok', fd };
}
