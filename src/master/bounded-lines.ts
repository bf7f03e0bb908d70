/** Lines of a process that is not trusted: however much it writes without a line end, little of it is kept. */

const newline = 0x0a;

export class BoundedLines {
  readonly #most: number;
  #rest: Buffer = Buffer.alloc(0);

  /** `most`: bytes of a line; what is longer comes in several. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Lines that have ended, without their ends. */
  push(chunk: Buffer): readonly string[] {
    const lines: string[] = [];
    let rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const end = rest.indexOf(newline);
      const isWhole = end >= 0 && end <= this.#most;
      if (!isWhole && rest.length <= this.#most) break;
      lines.push(rest.toString('utf8', 0, isWhole ? end : this.#most));
      rest = rest.subarray(isWhole ? end + 1 : this.#most);
    }
    this.#rest = Buffer.from(rest);
    return lines;
  }

  /** What is there without a line end. */
  end(): readonly string[] {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return rest.length === 0 ? [] : [rest.toString()];
  }
}
