/**
 * One connection to a server: bytes out, replies in, every wait with a deadline.
 *
 * It knows nothing of mail: what a reply or a loss means is decided elsewhere (trouble.ts).
 */
import type { Socket } from 'node:net';
import { streamable, whenReady } from '#message';
import type { SessionTranscript, Turn } from '#smtp';
import { type Endpoint, endpointLabel, endpointName } from './endpoint.ts';
import { type Heard, ReplyQueue } from './reply-queue.ts';
import type { TlsLevel } from './tls-levels.ts';
import type { TlsUse } from './tls-features.ts';

export interface ConnectionOptions {
  readonly endpoint: Endpoint;
  readonly replyLengthLimit: number;
  /** Undefined from it: the table can't be read. */
  readonly replyFilter: ((line: string) => string | undefined) | undefined;
  readonly warn: (text: string) => void;
  /** smtp_reply_filter has replaced a line. */
  readonly onReplaced: (line: string, by: string) => void;
  /** ms since the epoch. */
  readonly now: () => number;
  /** The timeouts are for a whole reply, not for each piece of it. smtp_per_request_deadline */
  readonly perRequestDeadline: boolean;
  /** What is said, where somebody wants to know. notify_classes */
  readonly transcript: SessionTranscript | undefined;
  /** When what was written goes out. */
  readonly turn: Turn;
}

/** How long a farewell may take before the socket is torn down. */
const farewellMs = 5000;

export class Connection {
  readonly endpoint: Endpoint;
  readonly openedAt: number;
  /** Messages handed over, this one included. */
  uses = 0;
  /** Logged in: other mail must not go over it. */
  isPersonal = false;
  /** Inside TLS. */
  isSecured = false;
  /** The level of TLS that is wanted, the one it was made with, lower after TLS had failed, and what came of it. */
  tls: { readonly wanted: TlsLevel; readonly level: TlsLevel; use: TlsUse } = {
    wanted: 'none',
    level: 'none',
    use: 'undecided',
  };
  /** No more than this message: 421 came, or something went wrong. */
  isSpent = false;
  /** Whether replies must keep step with pipelined commands. */
  isPipelining = false;
  readonly transcript: SessionTranscript | undefined;
  readonly #perRequestDeadline: boolean;
  readonly #turn: Turn;
  /** What was written waits to go out with what others say. */
  #isWaiting = false;
  #socket: Socket;
  readonly #replies: ReplyQueue;
  #onIdleEnd: (() => void) | undefined;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.endpoint = options.endpoint;
    this.openedAt = options.now();
    this.transcript = options.transcript;
    this.#perRequestDeadline = options.perRequestDeadline;
    this.#turn = options.turn;
    const label = endpointLabel(options.endpoint);
    this.#replies = new ReplyQueue({
      lineLimit: options.replyLengthLimit,
      filter: options.replyFilter,
      onReplaced: options.onReplaced,
      isStrict: () => this.isPipelining,
      onGarbage: () => this.transcript?.note('protocol'),
      onLongLine: (line) => options.warn(`${label}: response longer than ${options.replyLengthLimit}: ${line}...`),
      onLongReply: (text) =>
        options.warn(
          `${label}: multi-line response longer than ${options.replyLengthLimit} ${text.replaceAll('\n', '?')}...`,
        ),
      onClosing: () => {
        this.isSpent = true;
      },
      onFlood: () => this.#socket.destroy(),
    });
    this.#listen(socket);
  }

  get name(): string {
    return endpointName(this.endpoint);
  }

  get label(): string {
    return endpointLabel(this.endpoint);
  }

  /** Whether everything written has been handed to the kernel. */
  get isFlushed(): boolean {
    return this.#socket.writableLength === 0;
  }

  /** Whether so much waits to go out that the caller should wait with `drained`. */
  get needsDrain(): boolean {
    return this.#socket.writableNeedDrain;
  }

  get isLost(): boolean {
    return this.#replies.isLost;
  }

  /** The socket, for a TLS layer on top of it; replies then come from `adopt`. */
  get socket(): Socket {
    return this.#socket;
  }

  /** Goes on over another socket, such as a TLS layer. What was read but not used is dropped (RFC 3207, 4.2). */
  adopt(socket: Socket): void {
    this.isSecured = true;
    this.#socket.removeAllListeners('data');
    this.#replies.forget();
    this.#socket = socket;
    this.#listen(socket);
  }

  #listen(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => {
      // a cached connection has nothing to say: 421 or a broken server
      if (this.#onIdleEnd !== undefined) this.#onIdleEnd();
      if (!this.#perRequestDeadline) this.#replies.prolong();
      this.#replies.feed(chunk);
      this.#turn.whenAllHeard(this.#replies.tell);
    });
    const lose = (): void => {
      if (this.isLost) return;
      this.#replies.isLost = true;
      this.#onIdleEnd?.();
      this.#turn.whenAllHeard(this.#replies.tell);
    };
    socket.on('error', lose);
    socket.on('end', lose);
    socket.on('close', lose);
  }

  /** The next reply, or what came of waiting for it. After a loss replies that came before are still given. */
  next(timeoutMs: number): Promise<Heard> | Heard {
    const { transcript } = this;
    const heard = this.#replies.next(timeoutMs);
    return transcript === undefined ? heard : whenReady(heard, (one) => noted(one, transcript));
  }

  /** A reply refused something; some say that we don't speak SMTP. Such a connection is not kept. RFC 5321, 4.2.1; RFC 1869, 6.1 */
  noteRefusal(code: number): void {
    if (code >= 400 && code < 600 && code !== 555 && !(code >= 500 && code < 510)) return;
    this.isSpent = true;
    this.transcript?.note('protocol');
  }

  /** Sends a command line. `shown`: what is written down of one that holds a secret. */
  command(line: string, shown = line): void {
    this.transcript?.said(shown);
    this.#replies.expect(1);
    this.write(`${line}\r\n`);
  }

  /** Sends command lines together. */
  commands(lines: readonly string[]): void {
    for (const line of lines) this.transcript?.said(line);
    this.#replies.expect(lines.length);
    this.write(`${lines.join('\r\n')}\r\n`);
  }

  /** Gathers writes until `release`. */
  hold(): void {
    this.#socket.cork();
  }

  release(): void {
    this.#socket.uncork();
  }

  /** Goes out when all that was heard in this turn of the event loop has been worked on. */
  write(bytes: Buffer | string): void {
    if (this.isLost) return;
    if (!this.#isWaiting) {
      this.#isWaiting = true;
      this.#socket.cork();
      this.#turn.whenAllAnswered(this.#onAnswered);
    }
    this.#socket.write(typeof bytes === 'string' ? streamable(bytes) : bytes);
  }

  readonly #onAnswered = (): void => {
    this.#isWaiting = false;
    this.#socket.uncork();
  };

  /** Resolves when the kernel has taken what was written. */
  async drained(timeoutMs: number): Promise<'drained' | 'lost' | 'timeout'> {
    if (this.isLost) return 'lost';
    if (!this.#socket.writableNeedDrain) return 'drained';
    const { promise, resolve } = Promise.withResolvers<'drained' | 'lost' | 'timeout'>();
    const socket = this.#socket;
    const drained = (): void => resolve('drained');
    const lost = (): void => resolve('lost');
    const timer = setTimeout(() => resolve('timeout'), timeoutMs);
    socket.once('drain', drained);
    socket.once('close', lost);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      socket.off('drain', drained);
      socket.off('close', lost);
    }
  }

  /**
   * Kept for later: `ended` is called once if the server hangs up or speaks meanwhile, and at once if it has said what nobody
   * asked for: that would be taken for the reply to the next command.
   */
  rest(ended: () => void): void {
    this.#onIdleEnd = () => {
      this.#onIdleEnd = undefined;
      ended();
    };
    this.#socket.unref();
    if (this.isLost || this.#replies.hasMore) this.#onIdleEnd();
  }

  wake(): void {
    this.#onIdleEnd = undefined;
    this.#socket.ref();
  }

  /** Ends the connection after what was written has gone out. What the server still says is not waited for. */
  end(): void {
    const socket = this.#socket;
    this.isSpent = true;
    this.#replies.isLost = true;
    if (socket.writableLength === 0 && !this.isSecured) {
      socket.destroy();
      return;
    }
    socket.removeAllListeners('data');
    socket.resume();
    socket.end();
    const timer = setTimeout(() => socket.destroy(), farewellMs);
    timer.unref();
    socket.once('close', () => clearTimeout(timer));
  }

  /** Ends it; who waits for a reply hears that it is lost. */
  breakOff(): void {
    this.isSpent = true;
    this.#socket.destroy();
  }

  /** Ends it without a word, in the middle of whatever was going on. */
  destroy(): void {
    this.isSpent = true;
    this.#replies.isLost = true;
    this.#socket.destroy();
  }
}

function noted(heard: Heard, transcript: SessionTranscript): Heard {
  if (heard.kind === 'reply') for (const line of heard.reply.text.split('\n')) transcript.heard(line);
  if (heard.kind === 'garbage') transcript.heard(heard.line);
  return heard;
}
