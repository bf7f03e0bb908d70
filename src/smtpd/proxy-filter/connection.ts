/** A connection to a filter: bytes out, replies in, every wait with a deadline. It knows nothing of mail. */
import { connect, type Socket } from 'node:net';
import type { MaybePromise } from '#message';
import { errnoOf, errnoText, lookupTexts, textOfLookupError } from '#native';
import { FilterReplyReader } from './reply-reader.ts';
import type { FilterSettings } from './settings.ts';

export type Trouble = 'lost' | 'timeout';

/** What came where a reply was waited for. */
export type Answer = { readonly kind: 'reply'; readonly lines: readonly string[] } | { readonly kind: Trouble };

/** Replies nobody asked for that are kept; a filter that sends more is cut off. */
const maxEarlyReplies = 100;

/** How long a farewell may take. */
const farewellMs = 5000;

export class FilterConnection {
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  readonly #answers: Answer[] = [];
  #isLost = false;
  #onAnswer: ((answer: Answer) => void) | undefined;

  constructor(socket: Socket, { name, timeoutMs, lineLengthLimit }: FilterSettings, warn: (text: string) => void) {
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    const reader = new FilterReplyReader({
      lineLimit: lineLengthLimit,
      onLongLine: (start) => warn(`${name}: response longer than ${lineLengthLimit}: ${start}...`),
      onGarbage: (line) => warn(`received garbage from proxy ${name}: ${line}`),
    });
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => reader.push(bytes, (lines) => this.#take({ kind: 'reply', lines })));
    for (const event of ['end', 'close', 'error']) socket.on(event, () => this.#lose());
  }

  #take(answer: Answer): void {
    const waiting = this.#onAnswer;
    if (waiting !== undefined) waiting(answer);
    else if (this.#answers.push(answer) > maxEarlyReplies) this.#socket.destroy();
  }

  #lose(): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#onAnswer?.({ kind: 'lost' });
  }

  /** The next reply. One that came before the connection was lost is still given. */
  answer(): MaybePromise<Answer> {
    const early = this.#answers.shift();
    if (early !== undefined) return early;
    if (this.#isLost) return { kind: 'lost' };
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#onAnswer?.({ kind: 'timeout' }), this.#timeoutMs);
      this.#onAnswer = (answer) => {
        clearTimeout(timer);
        this.#onAnswer = undefined;
        resolve(answer);
      };
    });
  }

  say(line: string): void {
    if (!this.#isLost) this.#socket.write(`${line}\r\n`);
  }

  /** Sends content. A promise means: so much waits to go out that the caller has to wait, too. */
  write(pieces: readonly Buffer[]): MaybePromise<Trouble | undefined> {
    if (this.#isLost) return 'lost';
    const [only] = pieces;
    if (pieces.length === 1 && only !== undefined) this.#socket.write(only);
    else {
      this.#socket.cork();
      for (const piece of pieces) this.#socket.write(piece);
      this.#socket.uncork();
    }
    return this.#socket.writableNeedDrain ? this.#drained() : undefined;
  }

  async #drained(): Promise<Trouble | undefined> {
    const { promise, resolve } = Promise.withResolvers<Trouble | undefined>();
    const socket = this.#socket;
    const onDrain = (): void => resolve(undefined);
    const onClose = (): void => resolve('lost');
    const timer = setTimeout(() => resolve('timeout'), this.#timeoutMs);
    socket.on('drain', onDrain);
    socket.on('close', onClose);
    const result = await promise;
    clearTimeout(timer);
    socket.off('drain', onDrain);
    socket.off('close', onClose);
    return result;
  }

  /** Takes leave, without waiting for an answer. */
  quit(): void {
    const socket = this.#socket;
    if (this.#isLost) {
      socket.destroy();
      return;
    }
    this.say('QUIT');
    this.#isLost = true;
    socket.removeAllListeners('data');
    socket.resume();
    socket.end();
    const timer = setTimeout(() => socket.destroy(), farewellMs).unref();
    socket.once('close', () => clearTimeout(timer));
  }

  destroy(): void {
    this.#isLost = true;
    this.#socket.destroy();
  }
}

/** Opens a connection; undefined after warnings that say why there is none. */
export function openConnection(
  settings: FilterSettings,
  warn: (text: string) => void,
): Promise<FilterConnection | undefined> {
  const { name, endpoint, timeoutMs } = settings;
  const failed = (reason: string): undefined => {
    warn(`connect to proxy filter ${name}: ${reason}`);
    return undefined;
  };
  const target = name.replace(/^inet:/i, '');
  if (endpoint.kind === 'inet' && endpoint.port === undefined) {
    warn(`host or service ${target} not found: ${lookupTexts.EAI_SERVICE}`);
    return Promise.resolve(failed(noAddress));
  }
  const socket =
    endpoint.kind === 'unix' ? connect(endpoint.path) : connect({ host: endpoint.host, port: endpoint.port ?? 0 });
  return new Promise((resolve) => {
    const onError = (error: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      const reason = textOfLookupError(errnoOf(error));
      if (reason !== undefined) warn(`host or service ${target} not found: ${reason}`);
      resolve(failed(reason === undefined ? errnoText(innermost(error)) : noAddress));
    };
    const timer = setTimeout(
      () => onError(Object.assign(new Error('connection timed out'), { code: 'ETIMEDOUT' })),
      timeoutMs,
    );
    socket.once('error', onError);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', onError);
      resolve(new FilterConnection(socket, settings, warn));
    });
  });
}

const noAddress = 'Cannot assign requested address';

/** Of several addresses that were tried, what went wrong with the last one. */
function innermost(error: Error): unknown {
  return error instanceof AggregateError ? error.errors.at(-1) : error;
}
