/**
 * Content on the wire: dot-stuffing (RFC 5321, 4.5.2) and breaking of lines that are too long for it.
 *
 * Works on chunks of any split and copies nothing: where no line begins with a dot or is too long, a chunk goes out as it
 * came in.
 */

const lf = 0x0a;
const dot = 0x2e;
const stuffing = Buffer.from('.');
const lineBreak = Buffer.from('\r\n ');
const lineEnd = Buffer.from('\r\n');

export interface EncoderOptions {
  /** Bytes of a line without its end; 0: no limit. */
  readonly lineLimit: number;
  /** Called once, when the first line is broken. */
  readonly onBreak: () => void;
}

export class ContentEncoder {
  readonly #options: EncoderOptions;
  /** Bytes of the current line that have gone out. */
  #column = 0;
  #hasBroken = false;
  #last: number | undefined;
  #beforeLast: number | undefined;

  constructor(options: EncoderOptions) {
    this.#options = options;
  }

  /** Hands the encoded chunk on, in one or more pieces that share its memory. */
  encode(chunk: Buffer, emit: (piece: Buffer) => void): void {
    if (chunk.length === 0) return;
    const beginsLine = this.#last === undefined || this.#last === lf;
    this.#beforeLast = chunk.length > 1 ? chunk[chunk.length - 2] : this.#last;
    this.#last = chunk[chunk.length - 1];
    let sent = 0;
    const flush = (end: number): void => {
      if (end > sent) emit(chunk.subarray(sent, end));
      sent = end;
    };
    let nextDot = beginsLine && chunk[0] === dot ? 0 : nextDotLine(chunk, 0);
    let at = 0;
    while (at < chunk.length) {
      const end = this.#safeEnd(chunk, at);
      // stuff the dots of the stretch whose lines are known to be short enough
      while (nextDot >= 0 && nextDot < Math.max(end, at + 1)) {
        flush(nextDot);
        emit(stuffing);
        nextDot = nextDotLine(chunk, nextDot);
      }
      if (end > at) {
        at = end;
      } else {
        at += Math.max(0, this.#options.lineLimit - this.#column);
        flush(at);
        emit(lineBreak);
        this.#column = 1;
        this.#noteBreak();
      }
    }
    flush(chunk.length);
  }

  /** What is still missing before the final dot: an end for the last line. */
  finish(emit: (piece: Buffer) => void): void {
    if (this.#last !== undefined && !(this.#last === lf && this.#beforeLast === 0x0d)) emit(lineEnd);
  }

  /** Up to where lines from `at` on are short enough; `at` itself when the line there must be broken. */
  #safeEnd(chunk: Buffer, at: number): number {
    const { lineLimit } = this.#options;
    if (lineLimit <= 0) return chunk.length;
    // the line end is no part of the limit: two more bytes
    const reach = lineLimit + 2 - this.#column;
    if (chunk.length - at < reach - 1) {
      const lastEnd = chunk.lastIndexOf(lf);
      this.#column = lastEnd >= at ? chunk.length - lastEnd - 1 : this.#column + chunk.length - at;
      return chunk.length;
    }
    const end = chunk.subarray(at, at + reach).lastIndexOf(lf);
    if (end >= 0) {
      this.#column = 0;
      return at + end + 1;
    }
    // the line may end just beyond this chunk
    if (chunk.length - at === reach - 1 && chunk[chunk.length - 1] === 0x0d) {
      this.#column += chunk.length - at;
      return chunk.length;
    }
    return at;
  }

  #noteBreak(): void {
    if (this.#hasBroken) return;
    this.#hasBroken = true;
    this.#options.onBreak();
  }
}

/** Index of the next dot that begins a line after `from`; -1 when there is none. */
function nextDotLine(chunk: Buffer, from: number): number {
  const found = chunk.indexOf('\n.', from, 'latin1');
  return found < 0 ? -1 : found + 1;
}
