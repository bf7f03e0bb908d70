/** A login server that speaks Dovecot's protocol: one password for everybody, and moods. */
import { createServer, type Server, type Socket } from 'node:net';

const greeting =
  'VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\nMECH\tCRAM-MD5\tdictionary\tactive\n' +
  'SPID\t1\nCUID\t1\nCOOKIE\t0\nDONE\n';

/** What it does with the next requests: `dies`: closes the connection; `mute`: says nothing; `mad`: says nonsense. */
export type Mood = 'well' | 'dies' | 'mute' | 'mad';

export class LoginServer {
  mood: Mood = 'well';
  readonly heard: string[] = [];
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  /** Names given to LOGIN, by request. */
  readonly #names = new Map<string, string>();
  #server: Server | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  async start(): Promise<void> {
    const server = createServer((socket) => this.#serve(socket));
    this.#server = server;
    await new Promise<void>((done) => server.listen(this.#port, '127.0.0.1', done));
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    const closed = new Promise((done) => server.close(done));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.write(greeting);
    socket.on('data', (bytes: Buffer) => {
      for (const line of bytes.toString().split('\n').filter(Boolean)) {
        this.heard.push(line);
        const [verb = '', id = '', ...fields] = line.split('\t');
        if (verb === 'AUTH' || verb === 'CONT') this.#answer(socket, verb, id, fields);
      }
    });
  }

  #answer(socket: Socket, verb: string, id: string, fields: readonly string[]): void {
    switch (this.mood) {
      case 'dies':
        socket.destroy();
        return;
      case 'mute':
        return;
      case 'mad':
        socket.write(`WHAT\t${id}\nOK\nOK\t${id}\n`);
        return;
      case 'well':
        socket.write(this.#verdict(verb, id, fields));
    }
  }

  #verdict(verb: string, id: string, fields: readonly string[]): string {
    const decoded = (text: string): string => Buffer.from(text, 'base64').toString();
    const judge = (user: string, password: string): string =>
      password === 'secret' ? `OK\t${id}\tuser=${user}\n` : `FAIL\t${id}\tuser=${user}\treason=no such password\n`;
    if (verb === 'AUTH' && fields[0] !== 'PLAIN') return `CONT\t${id}\tVXNlcm5hbWU6\n`;
    if (verb === 'AUTH') {
      const response = fields.find((field) => field.startsWith('resp='));
      if (response === undefined) return `CONT\t${id}\t\n`;
      const [, user = '', password = ''] = decoded(response.slice('resp='.length)).split('\0');
      return judge(user, password);
    }
    const name = this.#names.get(id);
    if (name !== undefined) return judge(name, decoded(fields[0] ?? ''));
    this.#names.set(id, decoded(fields[0] ?? ''));
    return `CONT\t${id}\tUGFzc3dvcmQ6\n`;
  }
}

/** The argument of AUTH PLAIN. */
export function plain(user: string, password = 'secret'): string {
  return Buffer.from(`\0${user}\0${password}`).toString('base64');
}
