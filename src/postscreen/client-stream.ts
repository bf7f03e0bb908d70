/**
 * A client's socket while nobody serves it yet. What comes is kept, so that the server that gets the socket finds it
 * there; Postfix looks at it with MSG_PEEK.
 */
import type { ScreenedSocket } from './screened-socket.ts';

export type Wait = 'input' | 'closed' | 'timeout' | 'woken';

/** No client gets more in than this before it is read. */
const maxWaitingBytes = 1 << 16;

export class ClientStream {
  readonly socket: ScreenedSocket;
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
  readonly #onEnd = (): void => {
    this.#isClosed = true;
    this.#settle('closed');
  };

  constructor(socket: ScreenedSocket) {
    this.socket = socket;
    // a reset must not be an exception; without a reader nobody else would hear of it
    socket.on('error', this.#onEnd);
    socket.on('close', this.#onEnd);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  #settle(result: Wait): void {
    const resolve = this.#resolve;
    this.#resolve = undefined;
    resolve?.(result);
  }

  /** Waits for input (unless `without`), the end of the connection, `wake`, or the deadline. */
  async wait(ms: number, input: 'with' | 'without' = 'with'): Promise<Wait> {
    if (input === 'with') {
      if (this.#waitingBytes > 0) return 'input';
      if (!this.#isClosed) this.#listen();
    }
    if (this.#isClosed) return 'closed';
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
    this.socket.on('end', this.#onEnd);
  }

  /** Reads no more until the next wait. */
  hold(): void {
    this.#isListening = false;
    this.socket.off('readable', this.#onReadable);
    this.socket.off('end', this.#onEnd);
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

  /** Hands the socket on as if nobody had read from it. */
  release(): ScreenedSocket {
    const { socket } = this;
    this.hold();
    socket.off('close', this.#onEnd);
    socket.off('error', this.#onEnd);
    if (this.#waitingBytes > 0) socket.unshift(this.take());
    return socket;
  }

  /** Closes once what was written is with the kernel. */
  close(): void {
    this.socket.destroySoon();
  }
}
