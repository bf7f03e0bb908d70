/**
 * Replies of a filter, kept line by line as they came: they go on to the client. Never fails; what is no reply is told
 * of, and belongs to the reply that follows it.
 */

export interface ReplyBounds {
  /** Longest line; a reply is kept up to the line with which it gets longer than this. */
  readonly lineLimit: number;
  readonly onLongLine: (start: string) => void;
  readonly onGarbage: (line: string) => void;
}

const LF = 0x0a;
const CR = 0x0d;
const empty = Buffer.alloc(0);

export class FilterReplyReader {
  readonly #bounds: ReplyBounds;
  #partial: Buffer = empty;
  #isSkipping = false;
  #lines: string[] = [];
  #length = 0;

  constructor(bounds: ReplyBounds) {
    this.#bounds = bounds;
  }

  /** Gives each reply that is complete with these bytes. */
  push(bytes: Buffer, give: (lines: readonly string[]) => void): void {
    let from = 0;
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, from)) {
      this.#add(bytes.subarray(from, end));
      from = end + 1;
      if (this.#isSkipping) this.#isSkipping = false;
      else this.#endLine(give);
    }
    this.#add(bytes.subarray(from));
    if (this.#isSkipping || this.#partial.length <= this.#bounds.lineLimit) return;
    this.#endLine(give);
    this.#isSkipping = true;
  }

  #add(piece: Buffer): void {
    if (this.#isSkipping || piece.length === 0) return;
    this.#partial = this.#partial.length === 0 ? piece : Buffer.concat([this.#partial, piece]);
  }

  #endLine(give: (lines: readonly string[]) => void): void {
    const { lineLimit, onLongLine, onGarbage } = this.#bounds;
    const isLong = this.#partial.length > lineLimit;
    const line = printable(isLong ? this.#partial.subarray(0, lineLimit) : this.#partial);
    this.#partial = empty;
    if (isLong) onLongLine(line.slice(0, 30));
    if (this.#length < lineLimit) {
      this.#lines.push(line);
      this.#length += line.length + 2;
    }
    const separator = /^\d{3}(?!\d)(.?)/.exec(line)?.[1];
    if (separator === '-') return;
    if (separator !== '' && separator !== ' ') return onGarbage(line.slice(0, 100));
    const lines = this.#lines;
    this.#lines = [];
    this.#length = 0;
    give(lines);
  }
}

/** A line without its CR; what is not printable becomes `?`. */
function printable(bytes: Buffer): string {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === CR) end -= 1;
  // oxlint-disable-next-line no-control-regex -- replies end in the log and at the client
  return bytes.toString('utf8', 0, end).replace(/[\x00-\x1f\x7f-\x9f\ufffd]/g, '?');
}
