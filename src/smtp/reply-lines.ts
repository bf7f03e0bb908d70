/** Lines of replies as a client hears them: any split of bytes, of a bounded length, fit to be logged. */

const LF = 0x0a;
const CR = 0x0d;
const empty = Buffer.alloc(0);

export class ReplyLines {
  readonly #limit: number;
  #partial: Buffer = empty;

  /** `limit`: bytes of a line that are kept. A line without end takes no more memory, and never becomes a line. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Forgets what has begun. */
  reset(): void {
    this.#partial = empty;
  }

  /** Gives each line that is complete with these bytes: without its end, control characters as `?`. */
  feed(bytes: Buffer, take: (line: string, isCut: boolean) => void): void {
    let from = 0;
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, from)) {
      const line = this.#add(bytes.subarray(from, end));
      from = end + 1;
      this.#partial = empty;
      const isCut = line.length > this.#limit;
      take(printable(isCut ? line.subarray(0, this.#limit) : line), isCut);
    }
    if (from < bytes.length) this.#partial = this.#add(bytes.subarray(from));
  }

  /** The line so far with this piece; one byte beyond the limit tells that there was more. */
  #add(piece: Buffer): Buffer {
    if (this.#partial.length === 0 && piece.length <= this.#limit) return piece;
    const room = this.#limit + 1 - this.#partial.length;
    return room <= 0 ? this.#partial : Buffer.concat([this.#partial, piece.subarray(0, room)]);
  }
}

function printable(line: Buffer): string {
  let end = line.length;
  while (end > 0 && line[end - 1] === CR) end -= 1;
  // oxlint-disable-next-line no-control-regex -- replies end in logs, bounces, terminals and at clients
  return line.toString('utf8', 0, end).replace(/[\x00-\x1f\x7f-\x9f\ufffd]/g, '?');
}
