/** A next hop that takes what it is given, and says what the test wants it to say. */
import { createServer, type Server, type Socket } from 'node:net';

export interface Taken {
  readonly commands: readonly string[];
  readonly content: string;
}

export class Sink {
  readonly taken: Taken[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #answer: (command: string) => string | undefined;

  /** `answer`: a reply instead of the usual one. */
  constructor(answer: (command: string) => string | undefined = () => undefined) {
    this.#answer = answer;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  listen(port: number): Promise<void> {
    return new Promise((done) => this.#server.listen(port, '127.0.0.1', () => done()));
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    let waiting = '';
    let commands: string[] = [];
    let isData = false;
    let accepted = 0;
    const say = (text: string): void => void socket.write(`${text}\r\n`);
    const onLine = (line: string): void => {
      commands.push(line);
      const own = this.#answer(line);
      if (own !== undefined) return say(own);
      if (/^EHLO/i.test(line)) return say('250-sink.example\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 PIPELINING');
      if (/^RCPT/i.test(line)) accepted += 1;
      if (/^DATA/i.test(line)) {
        if (accepted === 0) return say('554 5.5.1 no valid recipients');
        isData = true;
        return say('354 go on');
      }
      if (/^QUIT/i.test(line)) {
        say('221 bye');
        return void socket.end();
      }
      say('250 2.0.0 Ok');
    };
    socket.on('data', (chunk: Buffer) => {
      waiting += chunk.toString('utf8');
      for (;;) {
        const end = isData ? waiting.indexOf('\r\n.\r\n') : waiting.indexOf('\r\n');
        if (end < 0) return;
        const piece = waiting.slice(0, end);
        waiting = waiting.slice(end + (isData ? 5 : 2));
        if (!isData) onLine(piece);
        else {
          isData = false;
          accepted = 0;
          this.taken.push({ commands, content: piece });
          commands = [];
          say('250 2.0.0 Ok: taken');
        }
      }
    });
    say('220 sink.example ESMTP');
  }
}
