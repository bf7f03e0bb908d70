/**
 * The size of content as the queue manager's log has it: that of Postfix's records, with one byte for the type of each
 * and one for its length, as many as a line end has here; longer records have a longer length.
 */

const LF = 0x0a;
/** The first length that takes two bytes. */
const longLine = 128;

/** What a line of so many bytes takes beyond its text and two bytes. */
function moreThanLine(length: number, lineLengthLimit: number): number {
  if (length < longLine) return 0;
  const pieces = Math.floor(length / lineLengthLimit);
  const rest = length - pieces * lineLengthLimit;
  return pieces * 3 + (rest < longLine ? 0 : 1);
}

/** Counts over content with CRLF line ends, in any split. */
export class RecordSize {
  readonly #lineLengthLimit: number;
  /** Of the line that has not ended yet. */
  #open = 0;
  #size = 0;

  constructor(lineLengthLimit: number) {
    this.#lineLengthLimit = lineLengthLimit;
  }

  get size(): number {
    return this.#size;
  }

  add(content: Buffer): void {
    this.#size += content.length;
    let start = 0;
    if (this.#open > 0) start = this.#endLine(content, 0, 0);
    while (start < content.length) {
      const last = lastLineEnd(content, start);
      start = last < start ? this.#endLine(content, start, start + longLine) : last + 1;
    }
  }

  /** The line that begins at `start` ends behind `from`: gives where the next one begins. */
  #endLine(content: Buffer, start: number, from: number): number {
    const end = content.indexOf(LF, from);
    if (end < 0) {
      this.#open += content.length - start;
      return content.length;
    }
    this.#size += moreThanLine(this.#open + end - start - 1, this.#lineLengthLimit);
    this.#open = 0;
    return end + 1;
  }
}

/** The last line end at which every line from `start` on is short; before `start` when there is none. */
function lastLineEnd(content: Buffer, start: number): number {
  let at = Math.min(start + longLine, content.length - 1);
  while (at >= start && content[at] !== LF) at -= 1;
  return at;
}
