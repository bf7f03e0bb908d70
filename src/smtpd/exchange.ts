/**
 * The two directions of a session's stream: pieces of input in, replies out, the client's errors counted, and the end.
 * RFC 5321, 4.2; postconf(5) smtpd_error_sleep_time, smtpd_soft_error_limit, smtpd_junk_command_limit
 *
 * Replies gather while further commands wait, and leave in one write (RFC 2920, 3.2).
 */
import type { Duplex } from 'node:stream';
import type { MaybePromise } from '#message';
import { type CommandReader, type Framed, peekedText } from '#smtp';
import { type CommandResult, isErrorResult, replyOf } from './command-result.ts';
import { ReplyWriter } from './reply-writer.ts';
import { SessionInput } from './session-input.ts';
import { logLost } from './session-log.ts';
import type { Session } from './session.ts';
import { Transcript } from './transcript.ts';

export class Exchange {
  readonly input: SessionInput;
  /** What frames the input. */
  readonly reader: CommandReader;
  readonly replies: ReplyWriter;
  readonly transcript: Transcript;
  /** Nothing more is to be said. */
  isOver = false;
  /** The client has sent ahead of a reply it had to wait for. */
  sawPipelining = false;
  #stream: Duplex;
  readonly #session: Session;
  #errors = 0;
  #junk = 0;

  constructor(stream: Duplex, session: Session) {
    const { settings, options } = session;
    this.#stream = stream;
    this.#session = session;
    this.input = new SessionInput(stream, settings, options.now, options.turn);
    this.reader = this.input.reader;
    this.transcript = new Transcript({
      peer: () => session.clientText,
      classes: settings.notifyClasses,
      notify: (notice) => options.notifyPostmaster?.(notice),
    });
    this.replies = new ReplyWriter(stream, settings, options.events, this.transcript, options.turn, () => ({
      client: session.client,
      helo: session.helo,
      sender: session.transaction?.sender,
      recipient: session.transaction?.recipients[0]?.address,
      myhostname: settings.myhostname,
      at: options.now(),
      queueId: session.queueId,
    }));
  }

  /** The next piece of input; undefined when the session is over, or should look around before it waits again. */
  nextPiece(): MaybePromise<Framed | undefined> {
    return this.reader.next() ?? this.#awaitPiece();
  }

  async #awaitPiece(): Promise<Framed | undefined> {
    for (;;) {
      this.replies.flushSoon();
      if (this.replies.isBehind) {
        await this.#catchUp();
        return undefined;
      }
      switch (await this.input.wait()) {
        case 'input': {
          const piece = this.reader.next();
          if (piece !== undefined) return piece;
          break;
        }
        case 'woken':
          return undefined;
        case 'closed':
          logLost(this.#session, 'lost connection');
          // who has no more to say may still listen
          this.replies.flush();
          this.isOver = true;
          return undefined;
        case 'timeout':
          logLost(this.#session, 'timeout');
          await this.end(replyOf(`421 4.4.2 ${this.#session.settings.myhostname} Error: timeout exceeded`));
          return undefined;
      }
    }
  }

  /** A client that asks and doesn't read has no more time than one that doesn't ask; meanwhile it isn't heard. */
  async #catchUp(): Promise<void> {
    this.input.pause();
    if (await this.replies.caughtUp(this.#session.settings.timeoutMs)) return;
    logLost(this.#session, 'timeout');
    this.cut();
  }

  /** A line that may be longer than a command: `limit` bytes with a CR at its end. Undefined: the session is over. */
  async nextLongLine(limit: number): Promise<Framed | undefined> {
    const { reader } = this;
    reader.boundLines(limit);
    let piece: Framed | undefined;
    do piece = await this.nextPiece();
    while (piece === undefined && !this.isOver);
    reader.boundLines(this.#session.settings.lineLengthLimit);
    return piece;
  }

  /** Says what a command came to; a client with many errors has to wait for it. */
  answer(result: CommandResult): MaybePromise<void> {
    if (this.isOver) return undefined;
    const { softErrorLimit, errorSleepMs } = this.#session.settings;
    const isTarpitted = this.#errors >= softErrorLimit && errorSleepMs > 0;
    if (isTarpitted || result.code >= 400 || result.trouble !== undefined)
      return this.#answerInTime(result, isTarpitted ? errorSleepMs : 0);
    this.replies.sayPlain(result.code, result.lines);
    this.#conclude(result, result.code);
  }

  async #answerInTime(result: CommandResult, sleepMs: number): Promise<void> {
    if (sleepMs > 0) {
      this.replies.flush();
      await new Promise((resolve) => setTimeout(resolve, sleepMs));
    }
    this.#conclude(result, await this.replies.say(result));
  }

  #conclude(result: CommandResult, code: number): void {
    if (isErrorResult(result)) this.#errors += 1;
    if (result.closes !== true && code !== 421 && code !== 521) return;
    this.isOver = true;
    this.replies.flush();
  }

  /** The last words of a session. */
  async end(result: CommandResult): Promise<void> {
    await this.replies.say(result);
    this.replies.flush();
    this.isOver = true;
  }

  /** smtpd_hard_error_limit */
  get hasTooManyErrors(): boolean {
    return this.#errors >= this.#session.settings.hardErrorLimit;
  }

  /** A command that does no work for mail: too many of them are errors. */
  countJunk(): void {
    if (this.#junk > this.#session.settings.junkCommandLimit) this.#errors += 1;
    this.#junk += 1;
  }

  /** Mail was taken: all is forgiven. */
  forgive(): void {
    this.#errors = 0;
    this.#junk = 0;
    this.transcript.forgive();
  }

  /** Input that came before the reply it had to wait for. True: the session has to end. RFC 2920, 3.1 */
  isOutOfStep(after: string): boolean {
    const { options, settings, clientText } = this.#session;
    const waiting = this.reader.waitingBytes;
    if (waiting.length === 0 || this.sawPipelining || options.isStandAlone) return false;
    this.sawPipelining = true;
    options.events.emit({ kind: 'pipelining', client: clientText, after, text: peekedText(waiting) });
    return settings.forbidPipelining;
  }

  endOutOfStep(): Promise<void> {
    return this.end(replyOf('554 5.5.0 Error: SMTP protocol synchronization'));
  }

  /**
   * Puts the rest of the session on the stream that `secure` makes of this one; false when it can't, and the session is
   * over. Input that waits is forgotten, or kept for `secure`.
   */
  async changeStream(
    secure: (plain: Duplex) => Promise<Duplex | undefined>,
    waiting: 'forgotten' | 'kept',
  ): Promise<boolean> {
    const bytes = this.input.release();
    if (waiting === 'kept' && bytes.length > 0 && !this.#stream.readableEnded) this.#stream.unshift(bytes);
    this.replies.flush();
    const stream = await secure(this.#stream);
    if (stream === undefined) {
      this.isOver = true;
      return false;
    }
    this.#stream = stream;
    this.input.adopt(stream);
    this.replies.adopt(stream);
    return true;
  }

  /** Ends the connection without another word. */
  cut(): void {
    this.isOver = true;
    this.#stream.destroy();
  }

  /** Once the last reply is with the kernel nothing is read any more: clients that don't wait for it reset the connection. */
  hangUp(): void {
    this.input.close();
    if (this.#stream.destroyed) return;
    const { options, settings } = this.#session;
    if (options.isStandAlone) this.#stream.end();
    else if (this.#stream.writableLength === 0) this.#stream.destroy();
    else endWithin(this.#stream, settings.timeoutMs);
  }
}

/** Ends a connection when the last reply is with the kernel, or when the client hasn't made room for it in time. */
function endWithin(stream: Duplex, timeoutMs: number): void {
  const destroy = (): void => void stream.destroy();
  const timer = setTimeout(destroy, timeoutMs).unref();
  stream.once('close', () => clearTimeout(timer));
  stream.end(destroy);
}
