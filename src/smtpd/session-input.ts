/**
 * The input of a session: framed bytes, and a bound on every wait for more of them. postconf(5) smtpd_timeout,
 * smtpd_per_request_deadline, smtpd_min_data_rate
 */
import type { Duplex } from 'node:stream';
import { CommandReader, RequestDeadline, type Turn } from '#smtp';

export interface InputLimits {
  readonly lineLengthLimit: number;
  readonly timeoutMs: number;
  /** The timeout is for a whole request, not for each read; content earns time by its bytes. */
  readonly perRequestDeadline: boolean;
  readonly minDataRate: number;
  /** For a command with its content, however steadily that comes. daemon_timeout */
  readonly daemonTimeoutMs: number;
}

export type WaitResult = 'input' | 'closed' | 'timeout' | 'woken';

const endings = ['end', 'close', 'error'] as const;
/** More than this is worked on at once: it would only pile up. */
const muchInput = 1 << 15;
/** Above this much unread input the sender has to wait. */
const maxWaitingBytes = 1 << 18;

export class SessionInput {
  readonly reader: CommandReader;
  #stream: Duplex;
  readonly #limits: InputLimits;
  /** ms since the epoch. */
  readonly #now: () => number;
  /** When what has come is worked on. */
  readonly #turn: Turn;
  readonly #timer: NodeJS.Timeout;
  #resolve: ((result: WaitResult) => void) | undefined;
  #isClosed = false;
  #isPaused = false;
  #hasNews = false;
  readonly #deadline: RequestDeadline;
  /** What comes is content. */
  #earnsTime = false;
  /** When the wait under way began, or was last charged. */
  #chargedAt: number | undefined;
  /** Of the command that is worked on. */
  #beganAt = performance.now();

  constructor(stream: Duplex, limits: InputLimits, now: () => number, turn: Turn) {
    this.#stream = stream;
    this.#now = now;
    this.#turn = turn;
    this.#limits = limits;
    this.#deadline = new RequestDeadline(limits);
    this.reader = new CommandReader(limits.lineLengthLimit);
    // one timer for the whole session: refreshed by each wait, without effect outside of waits
    this.#timer = setTimeout(() => this.#settle('timeout'), limits.timeoutMs);
    // with a deadline each wait has a timer of its own
    if (limits.perRequestDeadline) clearTimeout(this.#timer);
    this.#listen();
  }

  readonly #onData = (bytes: Buffer): void => this.take(bytes);
  /** Input has come, or none comes any more: what came before the end is worked on first. */
  readonly #onTold = (): void => {
    if (this.#hasNews) this.#settle('input');
    else if (this.#isClosed) this.#settle('closed');
  };
  readonly #onEnd = (): void => {
    this.#isClosed = true;
    this.#turn.whenAllHeard(this.#onTold);
  };

  #listen(): void {
    // a stream that was handed over may have ended already
    this.#isClosed = this.#stream.readableEnded;
    this.#stream.on('data', this.#onData);
    for (const name of endings) this.#stream.on(name, this.#onEnd);
  }

  /** Lets go of the stream, and forgets what came: nothing said before TLS counts after it (RFC 3207, 4.2). Gives what that was. */
  release(): Buffer {
    this.#stream.pause();
    this.#stream.off('data', this.#onData);
    for (const name of endings) this.#stream.off(name, this.#onEnd);
    const bytes = this.reader.waitingBytes;
    this.reader.clear();
    this.#hasNews = false;
    return bytes;
  }

  /** Goes on with another stream after `release`. */
  adopt(stream: Duplex): void {
    this.#stream = stream;
    this.#isPaused = false;
    this.#listen();
  }

  /** Input that has come. */
  take(bytes: Buffer): void {
    this.reader.push(bytes);
    this.#hasNews = true;
    if (this.#limits.perRequestDeadline) this.#earn(bytes.length);
    const { length } = this.reader.waitingBytes;
    if (length > maxWaitingBytes) this.pause();
    if (length > muchInput) this.#onTold();
    else this.#turn.whenAllHeard(this.#onTold);
  }

  #settle(result: WaitResult): void {
    const resolve = this.#resolve;
    this.#resolve = undefined;
    resolve?.(result);
  }

  #charge(): void {
    if (this.#chargedAt === undefined) return;
    const now = this.#now();
    this.#deadline.spend(now - this.#chargedAt);
    this.#chargedAt = now;
  }

  #earn(bytes: number): void {
    this.#charge();
    if (this.#earnsTime) this.#deadline.earn(bytes);
  }

  /** A new request, or its content: a deadline begins. */
  beginRequest(what: 'command' | 'content'): void {
    this.#earnsTime = what === 'content';
    if (what === 'command') this.#beganAt = performance.now();
    this.#deadline.begin();
  }

  /** Waits for more input than was there at the last wait. */
  wait(): Promise<WaitResult> {
    if (this.#hasNews) {
      this.#hasNews = false;
      return Promise.resolve('input');
    }
    if (this.#isClosed) return Promise.resolve('closed');
    if (performance.now() - this.#beganAt > this.#limits.daemonTimeoutMs) return Promise.resolve('timeout');
    this.resume();
    if (this.#limits.perRequestDeadline) return this.#waitForDeadline();
    this.#timer.refresh();
    return new Promise((resolve) => {
      this.#resolve = (result) => {
        this.#hasNews = false;
        resolve(result);
      };
    });
  }

  async #waitForDeadline(): Promise<WaitResult> {
    this.#chargedAt = this.#now();
    const timer = setTimeout(() => this.#settle('timeout'), Math.max(1, this.#deadline.waitMs));
    const result = await new Promise<WaitResult>((resolve) => {
      this.#resolve = resolve;
    });
    clearTimeout(timer);
    this.#hasNews = false;
    this.#charge();
    this.#chargedAt = undefined;
    return result;
  }

  /** Ends a wait that is under way. */
  wake(): void {
    this.#settle('woken');
  }

  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#stream.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#stream.resume();
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
