/** A filter that writes down what it hears, and answers as the test wants. */
import { createServer, type Server, type Socket } from 'node:net';

export interface FilterScript {
  /** Replies by stage: greeting, EHLO, XFORWARD, MAIL, RCPT, DATA, end. `close` hangs up. A list: one each time. */
  readonly replies?: Readonly<Record<string, string | readonly string[]>>;
  /** Hangs up when this much content has come. */
  readonly closesAfterBytes?: number;
}

const usual: Readonly<Record<string, string>> = {
  greeting: '220 filter ESMTP',
  EHLO: '250-filter\r\n250 XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT',
  DATA: '354 go on',
  end: '250 2.0.0 Ok: filtered',
  QUIT: '221 bye',
};

export class FakeFilter {
  /** All lines that came, of one connection after the other; `[open]` and `[close]` between them. */
  readonly heard: string[] = [];
  readonly #server: Server;
  readonly #script: FilterScript;
  readonly #sockets = new Set<Socket>();
  readonly #counts = new Map<string, number>();
  #onClose: (() => void) | undefined;

  constructor(script: FilterScript = {}) {
    this.#script = script;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  async listen(): Promise<number> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', () => done()));
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Resolves when a connection has ended. */
  async closed(): Promise<void> {
    if (this.heard.at(-1) === '[close]') return;
    await new Promise<void>((resolve) => {
      this.#onClose = resolve;
    });
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #replyFor(stage: string): string {
    const given = this.#script.replies?.[stage];
    const count = this.#counts.get(stage) ?? 0;
    this.#counts.set(stage, count + 1);
    const own = typeof given === 'object' ? (given[count] ?? given.at(-1)) : given;
    return own ?? usual[stage] ?? '250 2.0.0 Ok';
  }

  #serve(socket: Socket): void {
    this.heard.push('[open]');
    this.#sockets.add(socket);
    let waiting = '';
    let isContent = false;
    let contentBytes = 0;
    const say = (stage: string): string => {
      const reply = this.#replyFor(stage);
      if (reply === 'close') socket.destroy();
      else socket.write(`${reply}\r\n`, 'latin1');
      return reply;
    };
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.heard.push('[close]');
      this.#onClose?.();
    });
    socket.on('data', (chunk: Buffer) => {
      waiting += chunk.toString('latin1');
      if (isContent) contentBytes += chunk.length;
      if (contentBytes > (this.#script.closesAfterBytes ?? Number.POSITIVE_INFINITY)) {
        socket.destroy();
        return;
      }
      for (let end = waiting.indexOf('\r\n'); end >= 0; end = waiting.indexOf('\r\n')) {
        const line = waiting.slice(0, end);
        waiting = waiting.slice(end + 2);
        this.heard.push(line);
        const [verb = ''] = line.toUpperCase().split(/[ :]/);
        if (isContent && line !== '.') continue;
        if (isContent) {
          isContent = false;
          say('end');
        } else if (say(verb).startsWith('3')) isContent = true;
      }
    });
    say('greeting');
  }
}
