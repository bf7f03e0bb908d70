/** Line ends of content that comes without framing (BDAT): bare LF becomes CRLF, CRs before an LF become one. */

const LF = 0x0a;
const CR = 0x0d;
const crlf = Buffer.from('\r\n');
const empty = Buffer.alloc(0);
/** CRs that may still belong to a line end. */
const mostPendingCrs = 1 << 16;

/** Takes bytes in any split, gives them on with CRLF line ends. What needs no change is not copied. */
export class LineEndNormalizer {
  /** CRs at the end of what was seen: they may belong to a line end. */
  #pendingCrs = 0;
  #endsLine = true;

  push(bytes: Buffer): Buffer {
    const out: Buffer[] = [];
    let from = 0;
    for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, from)) {
      let textEnd = at;
      while (textEnd > from && bytes[textEnd - 1] === CR) textEnd -= 1;
      if (textEnd > from) this.#giveCrs(out);
      this.#pendingCrs = 0;
      if (at - textEnd === 1) out.push(bytes.subarray(from, at + 1));
      else out.push(bytes.subarray(from, textEnd), crlf);
      from = at + 1;
      this.#endsLine = true;
    }
    let end = bytes.length;
    while (end > from && bytes[end - 1] === CR) end -= 1;
    if (end > from) {
      this.#giveCrs(out);
      out.push(bytes.subarray(from, end));
      this.#endsLine = false;
    }
    this.#pendingCrs += bytes.length - end;
    // no line ends like this, and memory for all of them might be lacking when they turn out to be text
    if (this.#pendingCrs > mostPendingCrs) {
      this.#giveCrs(out);
      this.#endsLine = false;
    }
    return joined(out);
  }

  /** What completes the last line; empty when it is complete. */
  end(): Buffer {
    const isComplete = this.#endsLine && this.#pendingCrs === 0;
    this.#pendingCrs = 0;
    this.#endsLine = true;
    return isComplete ? empty : crlf;
  }

  #giveCrs(out: Buffer[]): void {
    if (this.#pendingCrs > 0) out.push(Buffer.alloc(this.#pendingCrs, CR));
    this.#pendingCrs = 0;
  }
}

/** Neighbouring slices of one buffer stay one slice. */
function joined(parts: readonly Buffer[]): Buffer {
  const [first = empty] = parts;
  if (parts.length < 2) return first;
  let length = 0;
  for (const part of parts) {
    if (part.buffer !== first.buffer || part.byteOffset !== first.byteOffset + length) return Buffer.concat(parts);
    length += part.length;
  }
  return Buffer.from(first.buffer, first.byteOffset, length);
}
