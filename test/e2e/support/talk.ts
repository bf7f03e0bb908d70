/** A client that says one line at a time, in the clear or not. */
import { resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import { until } from './quick-start.ts';

/** Key and certificate of `mail.example.com`, signed by itself. */
export const chain = resolve(import.meta.dirname, 'test-only-key-and-certificate.pem');

/** Says one line at a time. */
export class Talk {
  readonly #stream: Duplex;
  #heard = '';

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on('error', () => undefined);
    stream.on('data', (bytes: Buffer) => {
      this.#heard += bytes.toString();
    });
  }

  /** The handshake; the rest is said in there. */
  secure(): Talk {
    this.#stream.removeAllListeners('data');
    return new Talk(connect({ socket: this.#stream, rejectUnauthorized: false }));
  }

  /** The next reply, whole. */
  async hear(): Promise<string> {
    const reply = await until('a reply', () => /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/.exec(this.#heard)?.[0]);
    this.#heard = this.#heard.slice(reply.length);
    return reply;
  }

  say(line: string): Promise<string> {
    this.#stream.write(`${line}\r\n`);
    return this.hear();
  }
}
