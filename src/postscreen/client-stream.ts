/**
 * A client's socket while nobody serves it yet. What comes is kept, so that the server that gets the socket gets it,
 * too; Postfix looks at it with MSG_PEEK.
 */
import type { Accepted } from '#tls';
import type { ScreenedSocket } from './screened-socket.ts';

export type Wait = 'input' | 'closed' | 'timeout' | 'woken';

const ends = ['error', 'close', 'end'] as const;

/** No client gets more in than this before it is read. */
const maxWaitingBytes = 1 << 16;

export class ClientStream {
  #socket: ScreenedSocket;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #isClosed = false;
  #isListening = false;
  #resolve: ((result: Wait) => void) | undefined;
  readonly #onReadable = (): void => {
    const bytes: unknown = this.socket.read();
    if (!Buffer.isBuffer(bytes)) return;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > maxWaitingBytes) this.hold();
    this.#settle('input');
  };
  /** A client may have said its last word and still wait for the replies. */
  readonly #onEnd = (): void => {
    this.#isClosed = true;
    if (this.#isListening) this.#settle('closed');
  };

  constructor(socket: ScreenedSocket) {
    this.#socket = socket;
    this.#watch();
  }

  get socket(): ScreenedSocket {
    return this.#socket;
  }

  #watch(): void {
    // a reset must not be an exception; without a reader nobody else would hear of it
    for (const name of ends) this.#socket.on(name, this.#onEnd);
  }

  #settle(result: Wait): void {
    const resolve = this.#resolve;
    this.#resolve = undefined;
    resolve?.(result);
  }

  /** Waits for input or the end of the connection (not `without`), for `wake`, or the deadline. */
  async wait(ms: number, input: 'with' | 'without' = 'with'): Promise<Wait> {
    if (input === 'with') {
      if (this.#waitingBytes > 0) return 'input';
      if (this.#isClosed) return 'closed';
      this.#listen();
    }
    const { promise, resolve } = Promise.withResolvers<Wait>();
    this.#resolve = resolve;
    const timer = setTimeout(() => this.#settle('timeout'), Math.max(0, ms));
    const result = await promise;
    clearTimeout(timer);
    return result;
  }

  wake(): void {
    this.#settle('woken');
  }

  /** Reads by 'readable': a paused stream would stay paused for its next owner. */
  #listen(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    this.socket.on('readable', this.#onReadable);
  }

  /** Reads no more until the next wait. */
  hold(): void {
    this.#isListening = false;
    this.socket.off('readable', this.#onReadable);
  }

  /** What waits, without taking it. */
  peek(): Buffer {
    return Buffer.concat(this.#waiting);
  }

  take(): Buffer {
    const bytes = this.peek();
    this.#waiting = [];
    this.#waitingBytes = 0;
    return bytes;
  }

  /** What was taken too much comes first again. */
  putBack(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#waiting.unshift(bytes);
    this.#waitingBytes += bytes.length;
  }

  write(text: string): void {
    if (!this.socket.destroyed && this.socket.writable) this.socket.write(text);
  }

  /** Lets go of the socket; gives what came before somebody reads from it again. */
  release(): Buffer {
    const { socket } = this;
    this.hold();
    for (const name of ends) socket.off(name, this.#onEnd);
    this.#onReadable();
    return this.take();
  }

  /** Goes on over what a handshake makes of the socket; what came before it is gone. */
  async change(secure: (socket: ScreenedSocket) => Promise<Accepted>): Promise<Accepted> {
    this.release();
    const accepted = await secure(this.#socket);
    if (accepted.kind === 'accepted') this.#socket = accepted.stream;
    else this.#isClosed = true;
    this.#watch();
    return accepted;
  }

  /** Closes once what was written is with the kernel. */
  close(): void {
    this.socket.destroySoon();
  }
}
