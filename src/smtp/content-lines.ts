/**
 * Lines of message content out of bytes in any split: CRLF line ends, lone dots, stuffed dots. RFC 5321, 4.5.2
 *
 * What is longer than line_length_limit comes in records of that length, and Postfix counts each as a line: with two
 * bytes for an end that is not there.
 */

/** smtpd_forbid_bare_newline: what a bare LF does. `reject` and `note` frame as `normalize` does. */
export type BareNewlineMode = 'no' | 'normalize' | 'note' | 'reject';

/** `dotted`: DATA, where a lone dot ends the content. `plain`: BDAT. */
export type ContentForm = 'dotted' | 'plain';

export interface TakenContent {
  /** With CRLF line ends and without stuffing. */
  readonly bytes: Buffer;
  /** So many of the bytes given are done with. */
  readonly used: number;
  /** The lone dot. */
  readonly isEnd: boolean;
}

const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;
const crlf = Buffer.from('\r\n');
const empty = Buffer.alloc(0);

export class ContentLines {
  readonly #recordLimit: number;
  readonly #mode: BareNewlineMode;
  readonly #hasDots: boolean;
  /** Whether the next byte begins a line, and whether the line before ended in CRLF. */
  #atLineStart = true;
  #afterCrlf = true;
  #sawBareLf = false;
  #cutBytes = 0;

  constructor(recordLimit: number, mode: BareNewlineMode, form: ContentForm) {
    this.#recordLimit = recordLimit;
    this.#mode = mode;
    this.#hasDots = form === 'dotted';
  }

  /** Whether a bare LF was seen. */
  get sawBareLf(): boolean {
    return this.#sawBareLf;
  }

  /** What long lines count beyond their bytes, since this was asked last. */
  takeCutBytes(): number {
    const bytes = this.#cutBytes;
    this.#cutBytes = 0;
    return bytes;
  }

  /** What can be had of these bytes; undefined when more are needed. */
  take(raw: Buffer): TakenContent | undefined {
    return this.#wholeLines(raw) ?? this.#oneRecord(raw);
  }

  /**
   * Takes lines in one piece, up to one that needs a closer look: a dot before it, a bare LF or a second CR behind it. No
   * byte is looked at twice, or lines of two bytes would cost as much as they are many, squared.
   */
  #wholeLines(raw: Buffer): TakenContent | undefined {
    if (!this.#atLineStart || (this.#hasDots && raw[0] === DOT)) return undefined;
    let end = 0;
    for (let at = raw.indexOf(LF); this.#isClean(raw, end, at); at = raw.indexOf(LF, end)) {
      end = at + 1;
      if (this.#hasDots && raw[end] === DOT) break;
    }
    if (end === 0) return undefined;
    this.#afterCrlf = true;
    return { bytes: raw.subarray(0, end), used: end, isEnd: false };
  }

  /** A line of one record that ends in one CR and the LF at `at`. */
  #isClean(raw: Buffer, start: number, at: number): boolean {
    return at > 0 && raw[at - 1] === CR && raw[at - 2] !== CR && at - start <= this.#recordLimit;
  }

  /** One line, or a part of a long one. */
  #oneRecord(raw: Buffer): TakenContent | undefined {
    const limit = this.#recordLimit;
    const end = raw.length > limit ? raw.subarray(0, limit + 1).indexOf(LF) : raw.indexOf(LF);
    // a CR with its LF behind it is not cut off
    const isCut = end < 0 ? raw.length > limit : end === limit && raw[limit - 1] !== CR;
    if (isCut) return this.#records(raw);
    return end < 0 ? undefined : this.#line(raw, end);
  }

  /** As much of a long line as is here in whole records. */
  #records(raw: Buffer): TakenContent {
    const limit = this.#recordLimit;
    let used = limit;
    while (raw.length - used > limit && raw.subarray(used, used + limit + 1).indexOf(LF) < 0) used += limit;
    const skip = this.#hasDots && this.#atLineStart && raw[0] === DOT ? 1 : 0;
    this.#cutBytes += (used / limit) * crlf.length;
    this.#atLineStart = false;
    return { bytes: raw.subarray(skip, used), used, isEnd: false };
  }

  /** A line, or what is left of one, up to the LF at `end`. */
  #line(raw: Buffer, end: number): TakenContent {
    const hasCrlf = end > 0 && raw[end - 1] === CR;
    let textEnd = hasCrlf ? end - 1 : end;
    // `.<CR><CR><LF>` is no end mark either: a relay that passes it on would let its clients begin a message of ours
    if (this.#mode === 'no') while (textEnd > 0 && raw[textEnd - 1] === CR) textEnd -= 1;
    const startsLine = this.#atLineStart;
    const cleanBefore = this.#afterCrlf;
    this.#atLineStart = true;
    this.#afterCrlf = hasCrlf;
    if (!hasCrlf) this.#sawBareLf = true;
    const used = end + 1;
    const hasDot = this.#hasDots && startsLine && raw[0] === DOT;
    if (hasDot && textEnd === 1) {
      // the lone dot beside a bare LF is dropped
      return { bytes: empty, used, isEnd: (hasCrlf && cleanBefore) || this.#mode === 'no' };
    }
    const skip = hasDot ? 1 : 0;
    const isClean = hasCrlf && textEnd === end - 1;
    const bytes = isClean ? raw.subarray(skip, used) : Buffer.concat([raw.subarray(skip, textEnd), crlf]);
    return { bytes, used, isEnd: false };
  }
}
