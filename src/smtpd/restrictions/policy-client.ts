/** The client side of policy delegation: connections that are kept, requests that are tried again. SMTPD_POLICY_README */
import { connect, type Socket } from 'node:net';
import type { PortOf } from '#config';
import { streamable } from '#message';
import { errnoOf, textOfErrno, textOfLookupError } from '#native';
import type { PolicyServerOptions } from './policy-options.ts';

/** Connections to one server at a time; Postfix has one for each of its processes. */
const maxConnections = 100;

/** A server that says more than this before its empty line says nothing that makes sense. */
const maxReplyBytes = 1 << 18;
const LF = 0x0a;

/** A request that came to nothing. `isBrief`: may happen now and then, and is told of after the last try only. */
interface Failure {
  readonly reason: string;
  readonly isBrief: boolean;
  readonly isConnect: boolean;
  /** What is told of it first, after every try. */
  readonly detail?: (server: string) => string;
}

type Exchange = { readonly action: string } | Failure;

/** A connection: asked one request at a time, closed when it is old, idle or has answered enough. */
class Connection {
  readonly #socket: Socket;
  readonly #openedAt = performance.now();
  #requests = 0;
  #isConnected = false;
  #isClosed = false;
  #code = '';
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(socket: Socket, onGone: () => void) {
    this.#socket = socket;
    socket.unref();
    socket.on('connect', () => (this.#isConnected = true));
    socket.on('error', (error) => {
      this.#code = errnoOf(error);
    });
    socket.on('close', () => {
      this.#isClosed = true;
      clearTimeout(this.#idleTimer);
      onGone();
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Whether another request may go over it. */
  isFitFor({ maxTtlMs, requestLimit }: PolicyServerOptions): boolean {
    if (this.#isClosed || this.#socket.destroyed) return false;
    if (requestLimit > 0 && this.#requests >= requestLimit) return false;
    return performance.now() - this.#openedAt < maxTtlMs;
  }

  rest(maxIdleMs: number): void {
    this.#idleTimer = setTimeout(() => this.close(), maxIdleMs).unref();
  }

  ask(request: string, timeoutMs: number): Promise<Exchange> {
    clearTimeout(this.#idleTimer);
    this.#requests += 1;
    const socket = this.#socket;
    return new Promise((resolve) => {
      let received = Buffer.alloc(0);
      const finish = (result: Exchange): void => {
        clearTimeout(timer);
        socket.off('data', onData);
        socket.off('close', onClose);
        if ('reason' in result) this.close();
        resolve(result);
      };
      const onData = (bytes: Buffer): void => {
        received = Buffer.concat([received, bytes]);
        const isWhole = received[0] === LF || received.includes('\n\n');
        if (!isWhole && received.length <= maxReplyBytes) return;
        const text = received.toString('utf8');
        const action = /^action=(.*)$/m.exec(text)?.[1];
        finish(action === undefined ? noAction : { action });
      };
      const onClose = (): void => finish({ ...brokenOff('premature end-of-input', received), ...this.#closed() });
      const late = (): void => finish({ ...brokenOff('timeout', received), ...this.#late() });
      const timer = setTimeout(late, timeoutMs);
      socket.on('data', onData);
      socket.on('close', onClose);
      socket.write(streamable(request));
    });
  }

  #late(): Failure {
    return { reason: 'Connection timed out', isBrief: false, isConnect: !this.#isConnected };
  }

  #closed(): Failure {
    const lookup = textOfLookupError(this.#code);
    if (lookup !== undefined)
      return { ...noAddress, detail: (server) => `host or service ${server} not found: ${lookup}` };
    const reason = textOfErrno(this.#code) ?? (this.#code === '' ? 'Application error' : this.#code);
    const isBrief = ['', 'EPIPE', 'ENOENT', 'ECONNRESET'].includes(this.#code);
    return { reason, isBrief, isConnect: !this.#isConnected };
  }
}

/** What is told of a reply that began and did not end. */
function brokenOff(how: string, received: Buffer): Pick<Failure, 'detail'> {
  if (received.length === 0) return {};
  const part = received.includes('=', received.lastIndexOf(LF) + 1) ? 'value' : 'name';
  return { detail: (server) => `${how} on ${server} while reading input attribute ${part}` };
}

const noAction: Failure = {
  reason: 'Application error',
  isBrief: true,
  isConnect: false,
  detail: (server) => `missing attribute action in input from ${server}`,
};

const noAddress: Failure = { reason: 'Cannot assign requested address', isBrief: false, isConnect: true };

/** What the places of servers are relative to. */
export interface ServerPlaces {
  readonly queueDirectory: string;
  readonly portOf: PortOf;
}

function openSocket(target: string, { queueDirectory, portOf }: ServerPlaces): Socket {
  const [, host = 'localhost', service] = /^inet:(?:\[?([^\]]*?)\]?:)?([\w-]+)$/.exec(target) ?? [];
  const port = service === undefined ? undefined : portOf(service);
  if (port !== undefined) return connect(port, host);
  const path = target.replace(/^unix:/, '');
  return connect(path.startsWith('/') ? path : `${queueDirectory}/${path}`);
}

/** One server with its connections. */
export class PolicyClient {
  readonly #options: PolicyServerOptions;
  readonly #places: ServerPlaces;
  readonly #idle: Connection[] = [];
  readonly #waiting: (() => void)[] = [];
  #count = 0;

  constructor(options: PolicyServerOptions, places: ServerPlaces) {
    this.#options = options;
    this.#places = places;
  }

  /** The action of the reply; undefined, after warnings, when the server can't be reached or answers nonsense. */
  async ask(request: string, warn: (text: string) => void): Promise<string | undefined> {
    const { target, timeoutMs, tryLimit, retryDelayMs } = this.#options;
    const server = target.replace(/^(?:inet|unix):/, '');
    for (let tries = 1; ; tries += 1) {
      const connection = await this.#take();
      const result = await connection.ask(request, timeoutMs);
      this.#release(connection);
      if ('action' in result) return result.action;
      if (result.detail !== undefined) warn(result.detail(server));
      if (result.isConnect) warn(`connect to ${server}: ${result.reason}`);
      if (tries >= tryLimit || !result.isBrief) warn(`problem talking to server ${server}: ${result.reason}`);
      if (tries >= tryLimit) return undefined;
      await new Promise((resolve) => setTimeout(resolve, retryDelayMs));
    }
  }

  async #take(): Promise<Connection> {
    for (;;) {
      const idle = this.#idle.pop();
      if (idle?.isFitFor(this.#options) === true) return idle;
      if (idle !== undefined) idle.close();
      else if (this.#count < maxConnections) return this.#open();
      else await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    }
  }

  #open(): Connection {
    this.#count += 1;
    const connection: Connection = new Connection(openSocket(this.#options.target, this.#places), () => {
      this.#count -= 1;
      const at = this.#idle.indexOf(connection);
      if (at >= 0) this.#idle.splice(at, 1);
      this.#waiting.shift()?.();
    });
    return connection;
  }

  #release(connection: Connection): void {
    if (!connection.isFitFor(this.#options)) return connection.close();
    connection.rest(this.#options.maxIdleMs);
    this.#idle.push(connection);
    this.#waiting.shift()?.();
  }
}
