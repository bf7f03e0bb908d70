/**
 * Replies of a filter, kept line by line as they came: they go on to the client. Never fails; what is no reply is told
 * of, and belongs to the reply that follows it.
 */
import { ReplyLines } from '#smtp';

export interface ReplyBounds {
  /** Longest line; a reply is kept up to the line with which it gets longer than this. */
  readonly lineLimit: number;
  readonly onLongLine: (start: string) => void;
  readonly onGarbage: (line: string) => void;
}

export class FilterReplyReader {
  readonly #bounds: ReplyBounds;
  readonly #input: ReplyLines;
  #lines: string[] = [];
  #length = 0;

  constructor(bounds: ReplyBounds) {
    this.#bounds = bounds;
    this.#input = new ReplyLines(bounds.lineLimit);
  }

  /** Gives each reply that is complete with these bytes. */
  push(bytes: Buffer, give: (lines: readonly string[]) => void): void {
    this.#input.feed(bytes, (line, isCut) => this.#endLine(line, isCut, give));
  }

  #endLine(line: string, isCut: boolean, give: (lines: readonly string[]) => void): void {
    const { lineLimit, onLongLine, onGarbage } = this.#bounds;
    if (isCut) onLongLine(line.slice(0, 30));
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
