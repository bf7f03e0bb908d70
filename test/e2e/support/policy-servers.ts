/** Policy servers as their packages ship them, on ports of their own; SPF servers ask a name server of ours. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { mkdirSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { userInfo } from 'node:os';
import { type Answer, decode, encode } from 'dns-packet';
import { freePort, until } from './quick-start.ts';

function isListening(port: number): Promise<true | undefined> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      done(true);
    });
    socket.on('error', () => done(undefined));
  });
}

export interface RunningServer {
  readonly port: number;
  stop(): void;
}

/** postgrey(8), which greets unknown senders with a deferral for a second. */
export async function startPostgrey(directory: string): Promise<RunningServer> {
  const port = await freePort();
  mkdirSync(`${directory}/postgrey`);
  const { username } = userInfo();
  const group = String(process.getgid?.() ?? 0);
  const child = spawn(
    'postgrey',
    [`--inet=127.0.0.1:${port}`, `--dbdir=${directory}/postgrey`, `--user=${username}`, `--group=${group}`].concat(
      '--delay=1',
      '--hostname=grey.example',
    ),
    { stdio: 'ignore' },
  );
  await until('postgrey to listen', () => isListening(port));
  return { port, stop: () => void child.kill('SIGKILL') };
}

/** A server that talks on its standard input and output, one process a connection: what spawn(8) does. */
export async function startSpawned(
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<RunningServer & { readonly connections: () => number }> {
  const port = await freePort();
  const children: ChildProcess[] = [];
  const [program = '', ...args] = command;
  const server: Server = createServer((socket) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { ...process.env, ...environment },
    });
    children.push(child);
    child.stdin.on('error', () => {});
    socket.on('error', () => child.kill());
    socket.pipe(child.stdin);
    child.stdout.pipe(socket);
  });
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  const stop = (): void => {
    for (const child of children) child.kill('SIGKILL');
    server.close();
  };
  return { port, stop, connections: () => children.length };
}

/** A name server for a few text records; all other names do not exist. */
export class NameServer {
  readonly #socket: UdpSocket = createSocket('udp4');
  readonly #texts: Readonly<Record<string, string>>;

  constructor(texts: Readonly<Record<string, string>>) {
    this.#texts = texts;
    this.#socket.on('message', (bytes, { port, address }) => {
      this.#socket.send(this.#answer(bytes), port, address);
    });
  }

  listen(): Promise<number> {
    return new Promise((done) => this.#socket.bind(0, '127.0.0.1', () => done(this.#socket.address().port)));
  }

  close(): void {
    this.#socket.close();
  }

  #answer(bytes: Buffer): Buffer {
    const { id, questions = [] } = decode(bytes);
    const [question] = questions;
    const name = question?.name ?? '';
    const text = this.#texts[name.toLowerCase()];
    const answers: Answer[] =
      text === undefined || question?.type !== 'TXT' ? [] : [{ type: 'TXT', name, ttl: 60, data: text }];
    const noName = 3;
    return encode({
      type: 'response',
      ...(id === undefined ? {} : { id }),
      flags: text === undefined ? noName : 0,
      questions,
      answers,
    });
  }
}
