/** Opens connections to servers, and says in the C library's words why one can't be opened. connect(2) */
import { connect as connectTcp } from 'node:net';
import { errnoText } from '#native';
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
  socket.once('error', (error) => fail(errnoText(error), isBindError(error)));
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
