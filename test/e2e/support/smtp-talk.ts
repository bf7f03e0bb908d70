/** A client that says one line at a time. */
import { connect, type Socket } from 'node:net';

export class SmtpTalk {
  readonly #socket: Socket;
  #received = '';
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('utf8');
      this.#wake();
    });
    socket.on('close', () => this.#wake());
    socket.on('error', () => this.#wake());
  }

  static async open(port: number): Promise<SmtpTalk> {
    const talk = new SmtpTalk(connect(port, '127.0.0.1'));
    await talk.#reply();
    return talk;
  }

  say(line: string): Promise<string> {
    this.#socket.write(`${line}\r\n`);
    return this.#reply();
  }

  close(): void {
    this.#socket.destroy();
  }

  async #reply(): Promise<string> {
    for (;;) {
      const match = /^(?:\d{3}-[^\n]*\n)*\d{3} [^\n]*\n/.exec(this.#received);
      if (match !== null) {
        this.#received = this.#received.slice(match[0].length);
        return match[0].trimEnd();
      }
      if (this.#socket.destroyed) return 'closed';
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
