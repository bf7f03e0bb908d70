/**
 * One connection to a server: bytes out, replies in, every wait with a deadline.
 *
 * It knows nothing of mail: what a reply or a loss means is decided elsewhere (trouble.ts).
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { type Reply, ReplyReader } from './reply.ts';

/** What came instead of, or as, a reply. */
export type Heard =
  | { readonly kind: 'reply'; readonly reply: Reply }
  | { readonly kind: 'lost' }
  | { readonly kind: 'timeout' }
  /** A reply of which a table that can't be read should have said what it means. */
  | { readonly kind: 'unjudged' }
  | { readonly kind: 'garbage'; readonly line: string };

export interface Endpoint {
  /** Host name as found, or our own name for a UNIX-domain socket. */
  readonly host: string;
  /** Address or path. */
  readonly address: string;
  /** 0 for a UNIX-domain socket. */
  readonly port: number;
}

export interface ConnectOptions {
  readonly endpoint: Endpoint;
  /** Path to connect to, for a UNIX-domain socket. */
  readonly path?: string;
  readonly localAddress?: string;
  /** 0: no limit of our own. */
  readonly timeoutMs: number;
  readonly replyLengthLimit: number;
  /** Undefined from it: the table can't be read. */
  readonly replyFilter: ((line: string) => string | undefined) | undefined;
  readonly warn: (text: string) => void;
  /** ms since the epoch. */
  readonly now: () => number;
}

export type ConnectResult =
  | { readonly kind: 'connected'; readonly connection: Connection }
  | { readonly kind: 'failed'; readonly reason: string; readonly bindFailed: boolean };

/** `HOST[ADDRESS]`, as texts for people have it. */
export function endpointName({ host, address }: Endpoint): string {
  return `${host}[${address}]`;
}

/** `HOST[ADDRESS]:PORT`, as `relay=` has it. */
export function endpointLabel(endpoint: Endpoint): string {
  return endpoint.port === 0 ? endpointName(endpoint) : `${endpointName(endpoint)}:${endpoint.port}`;
}

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

/** How long a farewell may take before the socket is torn down. */
const farewellMs = 5000;

export class Connection {
  readonly endpoint: Endpoint;
  readonly openedAt: number;
  /** Messages handed over, this one included. */
  uses = 0;
  /** Logged in: other mail must not go over it. */
  isPersonal = false;
  /** Inside TLS. */
  isSecured = false;
  /** No more than this message: 421 came, or something went wrong. */
  isSpent = false;
  /** Whether replies must keep step with pipelined commands. */
  isPipelining = false;
  #socket: Socket;
  readonly #reader: ReplyReader;
  readonly #queue: Heard[] = [];
  #waiter: ((heard: Heard) => void) | undefined;
  #lost = false;
  #isUnjudged = false;
  #onIdleEnd: (() => void) | undefined;

  constructor(socket: Socket, options: ConnectOptions) {
    this.#socket = socket;
    this.endpoint = options.endpoint;
    this.openedAt = options.now();
    const label = endpointLabel(options.endpoint);
    this.#reader = new ReplyReader({
      lineLimit: options.replyLengthLimit,
      filter: options.replyFilter === undefined ? undefined : (line) => this.#filtered(line, options.replyFilter),
      isStrict: () => this.isPipelining,
      onLongLine: (line) => options.warn(`${label}: response longer than ${options.replyLengthLimit}: ${line}...`),
    });
    this.#listen(socket);
  }

  get name(): string {
    return endpointName(this.endpoint);
  }

  get label(): string {
    return endpointLabel(this.endpoint);
  }

  /** Whether everything written has been handed to the kernel. */
  get isFlushed(): boolean {
    return this.#socket.writableLength === 0;
  }

  /** Whether so much waits to go out that the caller should wait with `drained`. */
  get needsDrain(): boolean {
    return this.#socket.writableNeedDrain;
  }

  get isLost(): boolean {
    return this.#lost;
  }

  /** The socket, for a TLS layer on top of it; replies then come from `adopt`. */
  get socket(): Socket {
    return this.#socket;
  }

  /** Goes on over another socket, such as a TLS layer. What was read but not used is dropped (RFC 3207, 4.2). */
  adopt(socket: Socket): void {
    this.isSecured = true;
    this.#socket.removeAllListeners('data');
    this.#queue.length = 0;
    this.#reader.reset();
    this.#socket = socket;
    this.#listen(socket);
  }

  #listen(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => {
      // a cached connection has nothing to say: 421 or a broken server
      if (this.#onIdleEnd !== undefined) this.#onIdleEnd();
      this.#reader.feed(chunk, (event) => this.#push(event));
    });
    const lose = (): void => {
      if (this.#lost) return;
      this.#lost = true;
      this.#onIdleEnd?.();
      this.#waiter?.({ kind: 'lost' });
    };
    socket.on('error', lose);
    socket.on('end', lose);
    socket.on('close', lose);
  }

  #filtered(line: string, filter: ConnectOptions['replyFilter']): string {
    const filtered = filter?.(line);
    if (filtered === undefined) this.#isUnjudged = true;
    return filtered ?? line;
  }

  #push(given: Heard): void {
    const heard: Heard = this.#isUnjudged ? { kind: 'unjudged' } : given;
    if (heard.kind === 'reply' && heard.reply.code === 421) this.isSpent = true;
    // a server that floods us with replies nobody asked for is cut off
    if (this.#queue.length > maxQueuedReplies) this.#socket.destroy();
    else if (this.#waiter === undefined) this.#queue.push(heard);
    else this.#waiter(heard);
  }

  /** The next reply. After a loss replies that came before are still given. */
  next(timeoutMs: number): Promise<Heard> | Heard {
    const ready = this.#queue.shift();
    if (ready !== undefined) return ready;
    if (this.#lost) return { kind: 'lost' };
    const { promise, resolve } = Promise.withResolvers<Heard>();
    const timer = setTimeout(() => this.#waiter?.({ kind: 'timeout' }), timeoutMs);
    this.#waiter = (heard) => {
      clearTimeout(timer);
      this.#waiter = undefined;
      resolve(heard);
    };
    return promise;
  }

  /** Sends a command line. */
  command(line: string): void {
    if (!this.#lost) this.#socket.write(`${line}\r\n`);
  }

  /** Gathers writes until `release`. */
  hold(): void {
    this.#socket.cork();
  }

  release(): void {
    this.#socket.uncork();
  }

  write(bytes: Buffer | string): void {
    if (!this.#lost) this.#socket.write(bytes);
  }

  /** Resolves when the kernel has taken what was written. */
  async drained(timeoutMs: number): Promise<'drained' | 'lost' | 'timeout'> {
    if (this.#lost) return 'lost';
    if (!this.#socket.writableNeedDrain) return 'drained';
    const { promise, resolve } = Promise.withResolvers<'drained' | 'lost' | 'timeout'>();
    const socket = this.#socket;
    const drained = (): void => resolve('drained');
    const lost = (): void => resolve('lost');
    const timer = setTimeout(() => resolve('timeout'), timeoutMs);
    socket.once('drain', drained);
    socket.once('close', lost);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      socket.off('drain', drained);
      socket.off('close', lost);
    }
  }

  /** Kept for later: `ended` is called once if the server hangs up or speaks meanwhile. */
  rest(ended: () => void): void {
    this.#onIdleEnd = () => {
      this.#onIdleEnd = undefined;
      ended();
    };
    this.#socket.unref();
  }

  wake(): void {
    this.#onIdleEnd = undefined;
    this.#socket.ref();
  }

  /** Ends the connection after what was written has gone out. */
  end(): void {
    const socket = this.#socket;
    this.isSpent = true;
    this.#lost = true;
    socket.removeAllListeners('data');
    socket.resume();
    socket.end();
    const timer = setTimeout(() => socket.destroy(), farewellMs);
    timer.unref();
    socket.once('close', () => clearTimeout(timer));
  }

  /** Ends it without a word, in the middle of whatever was going on. */
  destroy(): void {
    this.isSpent = true;
    this.#lost = true;
    this.#socket.destroy();
  }
}

/** Far more than one message can ask for (a reply for each of 50 recipients, some early ones). */
const maxQueuedReplies = 5000;
