/**
 * Questions to a server over connections that are kept for a while: what `socketmap:` and `tcp:` tables have in common.
 * Each question has a connection to itself, as each process of Postfix has one.
 */
import { connect, type Socket } from 'node:net';
import { errnoText } from '#native';

export type Endpoint = { readonly path: string } | { readonly host: string; readonly port: number };

const largestPort = 65_535;

/** Whether a text is the number of a port: Node throws at others. */
export function isPort(text: string): boolean {
  return /^\d+$/.test(text) && Number(text) <= largestPort;
}

export type ServerAnswer =
  | { readonly kind: 'answer'; readonly bytes: Buffer }
  | { readonly kind: 'failed'; readonly during: 'connect' | 'talk'; readonly problem: string };

/** What has come so far, read: an answer, a problem, or undefined for "more". */
export type AnswerReader = (received: Buffer) => { readonly bytes: Buffer } | { readonly problem: string } | undefined;

export interface TableServerOptions {
  readonly endpoint: Endpoint;
  readonly read: AnswerReader;
  /** What a connection is called that ends without an answer. */
  readonly disconnected: string;
}

/** To one server at a time; Postfix has one for each of its processes. default_process_limit */
const maxConnections = 100;
const timeoutMs = 100_000;
const idleMs = 10_000;
const lifeMs = 100_000;

interface Connection {
  readonly socket: Socket;
  readonly openedAt: number;
}

interface RestingConnection extends Connection {
  /** Ends its rest: what comes belongs to a question. */
  readonly wake: () => void;
}

type Handlers = Readonly<
  Partial<Record<'error' | 'close' | 'timeout', (error: unknown) => void>> & { data?: (bytes: Buffer) => void }
>;

/** Listens until the function is called that it gives; those who listen beside it, Node too, stay. */
function attend(socket: Socket, { data, ...others }: Handlers): () => void {
  const ends = Object.entries(others);
  if (data !== undefined) socket.on('data', data);
  for (const [name, handler] of ends) socket.on(name, handler);
  return () => {
    if (data !== undefined) socket.off('data', data);
    for (const [name, handler] of ends) socket.off(name, handler);
  };
}

export class TableServer {
  readonly #options: TableServerOptions;
  readonly #idle: RestingConnection[] = [];
  /** Questions under way. */
  #busy = 0;
  readonly #waiting = new Set<(isIn: boolean) => void>();

  constructor(options: TableServerOptions) {
    this.#options = options;
  }

  /** Asks once; a connection that has grown stale meanwhile is replaced. */
  async ask(question: Buffer): Promise<ServerAnswer> {
    if (!(await this.#enter())) return { kind: 'failed', during: 'connect', problem: 'Connection timed out' };
    try {
      return await this.#askNow(question);
    } finally {
      this.#leave();
    }
  }

  /** Waits until there is room for one more connection; false: too long. */
  #enter(): boolean | Promise<boolean> {
    if (this.#busy < maxConnections) {
      this.#busy += 1;
      return true;
    }
    return new Promise((resolve) => {
      const settle = (isIn: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(settle);
        resolve(isIn);
      };
      const timer = setTimeout(() => settle(false), timeoutMs);
      this.#waiting.add(settle);
    });
  }

  /** Makes room for the one that has waited longest. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#busy -= 1;
    else next(true);
  }

  async #askNow(question: Buffer): Promise<ServerAnswer> {
    const kept = this.#takeIdle();
    if (kept !== undefined) {
      const answer = await this.#talk(kept, question);
      if (answer.kind === 'answer') return answer;
    }
    const fresh = await this.#connect();
    return 'problem' in fresh
      ? { kind: 'failed', during: 'connect', problem: fresh.problem }
      : this.#talk(fresh, question);
  }

  close(): void {
    for (const { socket } of this.#idle.splice(0)) socket.destroy();
  }

  #takeIdle(): Connection | undefined {
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined) return undefined;
      connection.wake();
      if (!connection.socket.destroyed && performance.now() - connection.openedAt < lifeMs) return connection;
      connection.socket.destroy();
    }
  }

  #connect(): Promise<Connection | { readonly problem: string }> {
    const socket = connect(this.#options.endpoint);
    // whoever waits hears of it beside this; a reset at any other time must not be an exception
    socket.on('error', () => undefined);
    socket.setTimeout(timeoutMs);
    return new Promise((resolve) => {
      const fail = (problem: string): void => {
        leave();
        socket.destroy();
        resolve({ problem });
      };
      const leave = attend(socket, {
        timeout: () => fail('Connection timed out'),
        error: (error) => fail(errnoText(error)),
      });
      socket.once('connect', () => {
        leave();
        resolve({ socket, openedAt: performance.now() });
      });
    });
  }

  #talk(connection: Connection, question: Buffer): Promise<ServerAnswer> {
    const { socket } = connection;
    const { read, disconnected } = this.#options;
    let received: Buffer = Buffer.alloc(0);
    return new Promise((resolve) => {
      const settle = (answer: ServerAnswer): void => {
        leave();
        if (answer.kind === 'answer') this.#keep(connection);
        else socket.destroy();
        resolve(answer);
      };
      const fail = (problem: string): void => settle({ kind: 'failed', during: 'talk', problem });
      socket.ref();
      socket.setTimeout(timeoutMs);
      const leave = attend(socket, {
        timeout: () => fail('Connection timed out'),
        error: (error) => fail(errnoText(error)),
        close: () => fail(disconnected),
        data: (bytes) => {
          received = received.length === 0 ? bytes : Buffer.concat([received, bytes]);
          const answer = read(received);
          if (answer === undefined) return;
          if ('problem' in answer) fail(answer.problem);
          else settle({ kind: 'answer', bytes: answer.bytes });
        },
      });
      socket.write(question);
    });
  }

  /** For the next question; a process may end meanwhile. */
  #keep({ socket, openedAt }: Connection): void {
    const end = (): void => void socket.destroy();
    socket.setTimeout(idleMs);
    // Nobody asked: what comes now belongs to no question.
    const wake = attend(socket, { timeout: end, data: end, close: () => this.#forget(kept) });
    const kept = { socket, openedAt, wake };
    socket.unref();
    this.#idle.push(kept);
  }

  #forget(connection: RestingConnection): void {
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
  }
}
