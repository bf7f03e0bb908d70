/**
 * Line ends of content on its way in. postconf(5) cleanup_replace_stray_cr_lf
 *
 * Submitters have made a line end of each lone LF already, so what is left to find is a CR that ends no line.
 */

const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const loneCr = Buffer.from('\r');
const blank = Buffer.from(' ');

/** Reads content in any split; each CR without LF becomes a blank. */
export class StrayCrReader {
  #endedInCr = false;

  /** What may go on; a CR at the end waits for what follows it. */
  read(chunk: Buffer): Buffer {
    if (chunk.length === 0) return chunk;
    const held = this.#endedInCr;
    this.#endedInCr = chunk[chunk.length - 1] === CR;
    const own = replaceStrayCr(this.#endedInCr ? chunk.subarray(0, -1) : chunk);
    return held ? Buffer.concat([chunk[0] === LF ? loneCr : blank, own]) : own;
  }

  /** What was waiting at the end of the content. */
  end(): Buffer | undefined {
    if (!this.#endedInCr) return undefined;
    this.#endedInCr = false;
    return blank;
  }
}

/** The same buffer when there is nothing to replace: this is the hot path. */
function replaceStrayCr(content: Buffer): Buffer {
  let out = content;
  for (let at = content.indexOf(CR); at >= 0; at = content.indexOf(CR, at + 1)) {
    if (content[at + 1] === LF) continue;
    if (out === content) out = Buffer.from(content);
    out[at] = SPACE;
  }
  return out;
}
