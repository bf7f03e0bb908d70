/** Replies of the server: lines to replies, with code, text and enhanced status (RFC 5321, 4.2; RFC 2034). */
import { ReplyLines } from '#smtp';

export interface Reply {
  /** 0 when the line does not begin with three digits. */
  readonly code: number;
  /** The whole reply with its codes, lines joined by LF, control characters as `?`. */
  readonly text: string;
  /** Enhanced status code of the last line, or `class.0.0`. */
  readonly dsn: string;
}

/** What the reader found in a line, beside replies. */
export type ReplyEvent =
  | { readonly kind: 'reply'; readonly reply: Reply }
  /** A line that is no reply while commands are pipelined: nobody knows any more which reply belongs to what. */
  | { readonly kind: 'garbage'; readonly line: string };

export interface ReplyReaderOptions {
  readonly lineLimit: number;
  /** smtp_reply_filter. */
  readonly filter: ((line: string) => string) | undefined;
  /** Commands are pipelined. */
  readonly isStrict: () => boolean;
  /** A line is no reply, whether or not it is overlooked. */
  readonly onGarbage: () => void;
  /** A line was cut: gets its beginning. */
  readonly onLongLine: (line: string) => void;
  /** Of a reply the further lines are left out: gets its beginning. */
  readonly onLongReply: (text: string) => void;
}

/** Feeds on chunks of any split, gives replies. Holds at most one line and one reply, both bounded. */
export class ReplyReader {
  readonly #options: ReplyReaderOptions;
  readonly #lines: ReplyLines;
  #text = '';

  constructor(options: ReplyReaderOptions) {
    this.#options = options;
    this.#lines = new ReplyLines(options.lineLimit);
  }

  /** Forgets what has begun. */
  reset(): void {
    this.#lines.reset();
    this.#text = '';
  }

  feed(chunk: Buffer, emit: (event: ReplyEvent) => void): void {
    this.#lines.feed(chunk, (line, isCut) => this.#line(line, isCut, emit));
  }

  #line(line: string, isCut: boolean, emit: (event: ReplyEvent) => void): void {
    const { lineLimit, filter, isStrict, onGarbage, onLongLine, onLongReply } = this.#options;
    if (isCut) onLongLine(line.slice(0, 30));
    const text = filter === undefined ? line : filter(line);
    // a reply without end must not fill the memory
    if (this.#text.length <= lineLimit) {
      this.#text += (this.#text === '' ? '' : '\n') + text;
      if (this.#text.length > lineLimit) onLongReply(this.#text.slice(0, 30));
    }
    const head = /^(\d{3})(?!\d)(.?)/.exec(text);
    if (head?.[2] === '-') return;
    if (head !== null && (head[2] === ' ' || head[2] === '')) {
      const whole = this.#text;
      this.#text = '';
      emit({ kind: 'reply', reply: makeReply(Number(head[1]), text, whole) });
      return;
    }
    onGarbage();
    if (isStrict()) {
      this.#text = '';
      emit({ kind: 'garbage', line: text.slice(0, 100) });
    }
  }
}

function makeReply(code: number, lastLine: string, text: string): Reply {
  const digit = lastLine.slice(0, 1);
  if (!'245'.includes(digit)) return { code, text, dsn: '5.5.0' };
  const dsn = /^\d{3} +(\d\.\d{1,3}\.\d{1,3})(?=\s|$)/.exec(lastLine)?.[1];
  return { code, text, dsn: dsn?.startsWith(digit) === true ? dsn : `${digit}.0.0` };
}
