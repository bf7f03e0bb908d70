/** Opens connections to servers, and says in the C library's words why one can't be opened. connect(2) */
import { connect as connectTcp } from 'node:net';
import { Connection, type ConnectionOptions } from './connection.ts';

export interface ConnectOptions extends ConnectionOptions {
  /** Path to connect to, for a UNIX-domain socket. */
  readonly path?: string;
  readonly localAddress?: string;
  /** 0: no limit of our own. */
  readonly timeoutMs: number;
}

export type ConnectResult =
  | { readonly kind: 'connected'; readonly connection: Connection }
  | { readonly kind: 'failed'; readonly reason: string; readonly bindFailed: boolean };

/** Opens a connection. Never rejects. */
export function openConnection(options: ConnectOptions): Promise<ConnectResult> {
  const { endpoint, path, localAddress, timeoutMs } = options;
  const { promise, resolve } = Promise.withResolvers<ConnectResult>();
  const socket = connectTcp(
    path === undefined
      ? { host: endpoint.address, port: endpoint.port, ...(localAddress !== undefined && { localAddress }) }
      : { path },
  );
  const fail = (reason: string, bindFailed: boolean): void => {
    clearTimeout(timer);
    socket.destroy();
    resolve({ kind: 'failed', reason, bindFailed });
  };
  const timer = timeoutMs > 0 ? setTimeout(() => fail('Connection timed out', false), timeoutMs) : undefined;
  socket.once('error', (error) => fail(describeError(error), isBindError(error)));
  socket.once('connect', () => {
    clearTimeout(timer);
    socket.removeAllListeners('error');
    socket.setNoDelay(true);
    resolve({ kind: 'connected', connection: new Connection(socket, options) });
  });
  return promise;
}

function isBindError(error: Error): boolean {
  return 'syscall' in error && error.syscall === 'bind';
}

/** The C library's words for an error of connect(2). */
function describeError(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const texts: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'Connection refused',
    ECONNRESET: 'Connection reset by peer',
    ETIMEDOUT: 'Connection timed out',
    EHOSTUNREACH: 'No route to host',
    ENETUNREACH: 'Network is unreachable',
    ENETDOWN: 'Network is down',
    EHOSTDOWN: 'Host is down',
    EACCES: 'Permission denied',
    EPERM: 'Operation not permitted',
    ENOENT: 'No such file or directory',
    ENOTSOCK: 'Socket operation on non-socket',
    EADDRINUSE: 'Address already in use',
    EADDRNOTAVAIL: 'Cannot assign requested address',
    EAFNOSUPPORT: 'Address family not supported by protocol',
    EINVAL: 'Invalid argument',
    EPROTOTYPE: 'Protocol wrong type for socket',
    EMFILE: 'Too many open files',
    EAGAIN: 'Resource temporarily unavailable',
  };
  return texts[code] ?? error.message;
}
