/** Replies of the server: lines to replies, with code, text and enhanced status (RFC 5321, 4.2; RFC 2034). */

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
}

/** Feeds on chunks of any split, gives replies. Holds at most one line and one reply, both bounded. */
export class ReplyReader {
  readonly #options: ReplyReaderOptions;
  #partial: Buffer = Buffer.alloc(0);
  #skipping = false;
  #text = '';

  constructor(options: ReplyReaderOptions) {
    this.#options = options;
  }

  /** Forgets what has begun. */
  reset(): void {
    this.#partial = Buffer.alloc(0);
    this.#skipping = false;
    this.#text = '';
  }

  feed(chunk: Buffer, emit: (event: ReplyEvent) => void): void {
    let from = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, from)) {
      const piece = chunk.subarray(from, end);
      from = end + 1;
      if (this.#skipping) {
        this.#skipping = false;
        continue;
      }
      const line = this.#partial.length === 0 ? piece : Buffer.concat([this.#partial, piece]);
      this.#partial = Buffer.alloc(0);
      this.#line(line, emit);
    }
    if (this.#skipping || from === chunk.length) return;
    this.#partial = Buffer.concat([this.#partial, chunk.subarray(from)]);
    if (this.#partial.length > this.#options.lineLimit) {
      const line = this.#partial;
      this.#partial = Buffer.alloc(0);
      this.#skipping = true;
      this.#line(line, emit);
    }
  }

  #line(bytes: Buffer, emit: (event: ReplyEvent) => void): void {
    const { lineLimit, filter, isStrict, onGarbage, onLongLine } = this.#options;
    let text = printable(bytes.length > lineLimit ? bytes.subarray(0, lineLimit) : bytes);
    if (bytes.length > lineLimit) onLongLine(text.slice(0, 30));
    if (filter !== undefined) text = filter(text);
    // a reply without end must not fill the memory
    if (this.#text.length < lineLimit) this.#text += (this.#text === '' ? '' : '\n') + text;
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

/** Text of a line without its CR; what is not printable becomes `?`. */
function printable(bytes: Buffer): string {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0x0d) end--;
  // oxlint-disable-next-line no-control-regex -- replies end in logs, bounces and terminals
  return bytes.toString('utf8', 0, end).replace(/[\x00-\x1f\x7f-\x9f\ufffd]/g, '?');
}
