/**
 * The lines of .forward and `:include:` files as Postfix reads them: what is longer than line_length_limit comes in pieces
 * of that length, and each piece counts as a line. local(8)
 */
import { textOf } from '#message';

const lineEnd = 0x0a;
const commentSign = 0x23;
const nothing = Buffer.alloc(0);

/** Holds no more than the beginning of one line. */
export class LineCutter {
  readonly #limit: number;
  #rest: Buffer = nothing;

  /** `limit`: of a line, in bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The lines that end in a piece of the file; comments and empty ones are left out. */
  *lines(piece: Buffer): Generator<string> {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    let at = 0;
    let end = bytes.indexOf(lineEnd);
    for (;;) {
      if (end >= 0 && end < at) end = bytes.indexOf(lineEnd, at);
      const isCut = end < 0 || end - at > this.#limit;
      if (isCut && bytes.length - at < this.#limit) break;
      const to = isCut ? at + this.#limit : end;
      if (to > at && bytes[at] !== commentSign) yield textOf(bytes.subarray(at, to));
      at = isCut ? to : to + 1;
    }
    this.#rest = Buffer.from(bytes.subarray(at));
  }

  /** What stands behind the last line end. */
  *last(): Generator<string> {
    if (this.#rest.length > 0 && this.#rest[0] !== commentSign) yield textOf(this.#rest);
    this.#rest = nothing;
  }
}
