/** Content of a maildrop file, LF line ends, into CRLF chunk by chunk. */

const LF = 0x0a;
const CR = 0x0d;
const CRLF = Buffer.from('\r\n');

export class CrlfEncoder {
  #previous = LF;

  /** The chunk with CRLF for LF; a CRLF that is there already stays. */
  encode(chunk: Buffer): Buffer {
    if (chunk.length === 0) return chunk;
    const pieces: Buffer[] = [];
    let start = 0;
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) {
      const before = at > 0 ? chunk[at - 1] : this.#previous;
      if (before === CR) continue;
      pieces.push(chunk.subarray(start, at), CRLF);
      start = at + 1;
    }
    pieces.push(chunk.subarray(start));
    this.#previous = chunk[chunk.length - 1] ?? LF;
    return pieces.length === 1 ? chunk : Buffer.concat(pieces);
  }

  /** What the last line lacks. */
  end(): Buffer {
    return this.#previous === LF ? Buffer.alloc(0) : CRLF;
  }
}
