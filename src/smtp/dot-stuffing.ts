/** Dot-stuffing and its end mark. RFC 5321, 4.5.2 */

const DOT = 0x2e;
const LF = 0x0a;
const CR = 0x0d;
const dot = Buffer.from('.');
// without the CR: a chunk may begin between CR and LF
const lfDot = Buffer.from('\n.');

/** Encodes content (CRLF line ends, any split) for DATA; chunks without a leading dot pass through uncopied. */
export class DotStuffer {
  #atLineStart = true;
  #last = LF;
  #isEmpty = true;

  /** The pieces to write for one chunk. */
  encode(chunk: Buffer): readonly Buffer[] {
    if (chunk.length === 0) return [];
    const out: Buffer[] = [];
    if (this.#atLineStart && chunk[0] === DOT) out.push(dot);
    let from = 0;
    for (let at = chunk.indexOf(lfDot); at >= 0; at = chunk.indexOf(lfDot, at + 2)) {
      out.push(chunk.subarray(from, at + 2), dot);
      from = at + 2;
    }
    out.push(from === 0 ? chunk : chunk.subarray(from));
    this.#isEmpty = false;
    this.#last = chunk[chunk.length - 1] ?? this.#last;
    this.#atLineStart = this.#last === LF;
    return out;
  }

  /** The end of the content: a line end where it lacks one, then the lone dot. */
  end(): Buffer {
    if (this.#isEmpty || this.#atLineStart) return Buffer.from('.\r\n');
    return Buffer.from(this.#last === CR ? '\n.\r\n' : '\r\n.\r\n');
  }
}
