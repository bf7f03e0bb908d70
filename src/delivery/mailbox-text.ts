/** Stored content as mailboxes and commands want it: other line ends, lines quoted; out of chunks in any split. mbox(5), pipe(8) */

export interface TextShape {
  /** `>` before lines that begin with `From `. */
  readonly quotesFrom: boolean;
  /** A second dot before lines that begin with one. */
  readonly stuffsDots: boolean;
  readonly lineEnd: string;
}

/** What may be the beginning of a line `From `, at the end of a chunk. */
const openFrom = /(?<=^|\n)F(?:r(?:om?)?)?$/;

/**
 * Takes bytes and gives strings of bytes (latin1): as strings, line ends are replaced twice as fast as by looking for
 * each of them in the bytes.
 */
export class MailboxText {
  readonly #shape: TextShape;
  #held = '';
  #isAtLineStart = true;

  constructor(shape: TextShape) {
    this.#shape = shape;
  }

  push(chunk: Buffer): string {
    let text = this.#held + chunk.toString('latin1');
    this.#held = '';
    if (text.endsWith('\r')) this.#hold(text, text.length - 1);
    text = text.slice(0, text.length - this.#held.length).replaceAll('\r\n', '\n');
    if (this.#shape.quotesFrom) {
      const open = this.#held === '' ? openFrom.exec(text) : null;
      if (open !== null && (open.index > 0 || this.#isAtLineStart)) {
        this.#hold(text, open.index);
        text = text.slice(0, open.index);
      }
    }
    return this.#shaped(text);
  }

  /** What was held back, and the end of the last line where it has none. */
  end(): string {
    const last = this.#shaped(this.#held);
    this.#held = '';
    return this.#isAtLineStart ? last : `${last}${this.#shape.lineEnd}`;
  }

  #hold(text: string, from: number): void {
    this.#held = text.slice(from);
  }

  #shaped(text: string): string {
    if (text === '') return '';
    const { quotesFrom, stuffsDots, lineEnd } = this.#shape;
    const wasAtLineStart = this.#isAtLineStart;
    this.#isAtLineStart = text.endsWith('\n');
    let out = text;
    if (quotesFrom) out = beforeLines(out, 'From ', '>', wasAtLineStart);
    if (stuffsDots) out = beforeLines(out, '.', '.', wasAtLineStart);
    return lineEnd === '\n' ? out : out.replaceAll('\n', lineEnd);
  }
}

/** Puts a mark before lines that begin so. */
function beforeLines(text: string, beginning: string, mark: string, startsLine: boolean): string {
  const marked = text.replaceAll(`\n${beginning}`, `\n${mark}${beginning}`);
  return startsLine && text.startsWith(beginning) ? `${mark}${marked}` : marked;
}
