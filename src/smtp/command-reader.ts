/**
 * Server-side framing: command lines, DATA content and BDAT chunks out of bytes in any split. Knows line ends, lone dots
 * and bounds; decides nothing. RFC 5321, 4.1.1, 4.5.2; RFC 3030
 */
import { LineEndNormalizer } from './line-ends.ts';

/** smtpd_forbid_bare_newline: what a bare LF does. `reject` and `note` frame as `normalize` does. */
export type BareNewlineMode = 'no' | 'normalize' | 'note' | 'reject';

export type Framed =
  | { readonly kind: 'line'; readonly text: Buffer; readonly hasBareLf: boolean }
  /** The bound was passed; the rest of the line is dropped. */
  | { readonly kind: 'longLine'; readonly text: Buffer }
  /** Content with CRLF line ends, without dot-stuffing; may be a part of a line only when the line is long. */
  | { readonly kind: 'content'; readonly bytes: Buffer }
  | { readonly kind: 'endOfContent' }
  /** All bytes of a BDAT chunk have been given. */
  | { readonly kind: 'endOfChunk' };

const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;
const crlf = Buffer.from('\r\n');
const empty = Buffer.alloc(0);

type Mode = 'command' | 'data' | 'bdat';

export class CommandReader {
  #maxLine: number;
  #mode: Mode = 'command';
  #buffer: Buffer = empty;
  #skippingLine = false;
  #chunkLeft = 0;
  #chunkLines = new LineEndNormalizer();
  #chunkEndedInCr = false;
  #bareNewline: BareNewlineMode = 'normalize';
  /** Whether the content's next byte begins a line, and whether the line before ended in CRLF. */
  #atLineStart = true;
  #afterCrlf = true;
  #sawBareLf = false;

  constructor(maxLine: number) {
    this.#maxLine = maxLine;
  }

  /** Whether a bare LF was seen in the content read last. */
  get sawBareLf(): boolean {
    return this.#sawBareLf;
  }

  /** Input that waits to be read. */
  get waitingBytes(): Buffer {
    return this.#buffer;
  }

  /** The next bytes are message content up to the lone dot. */
  beginData(mode: BareNewlineMode): void {
    this.#mode = 'data';
    this.#bareNewline = mode;
    this.#atLineStart = true;
    this.#afterCrlf = true;
    this.#sawBareLf = false;
  }

  /** The next `size` bytes are a BDAT chunk. */
  beginChunk(size: number): void {
    this.#mode = 'bdat';
    this.#chunkLeft = size;
    this.#sawBareLf = false;
  }

  /** What is the longest line from now on, in bytes with a CR at its end. */
  boundLines(maxLine: number): void {
    this.#maxLine = maxLine;
  }

  push(bytes: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? bytes : Buffer.concat([this.#buffer, bytes]);
  }

  /** Forgets what waits (after STARTTLS, or at the end). */
  clear(): void {
    this.#buffer = empty;
  }

  /** The next piece; undefined when more bytes are needed. */
  next(): Framed | undefined {
    switch (this.#mode) {
      case 'command':
        return this.#nextLine();
      case 'data':
        return this.#nextContent();
      case 'bdat':
        return this.#nextChunk();
    }
  }

  #nextLine(): Framed | undefined {
    const end = this.#buffer.indexOf(LF);
    if (end < 0) {
      if (this.#buffer.length <= this.#maxLine) return undefined;
      const text = this.#buffer.subarray(0, this.#maxLine);
      this.#buffer = empty;
      const wasSkipping = this.#skippingLine;
      this.#skippingLine = true;
      return wasSkipping ? undefined : { kind: 'longLine', text };
    }
    const raw = this.#buffer.subarray(0, end);
    this.#buffer = this.#buffer.subarray(end + 1);
    if (this.#skippingLine) {
      this.#skippingLine = false;
      return this.#nextLine();
    }
    if (raw.length > this.#maxLine) return { kind: 'longLine', text: raw.subarray(0, this.#maxLine) };
    const hasCr = raw.length > 0 && raw[raw.length - 1] === CR;
    return { kind: 'line', text: hasCr ? raw.subarray(0, -1) : raw, hasBareLf: !hasCr };
  }

  #nextChunk(): Framed | undefined {
    while (this.#chunkLeft > 0) {
      if (this.#buffer.length === 0) return undefined;
      const raw = this.#buffer.subarray(0, this.#chunkLeft);
      this.#buffer = this.#buffer.subarray(raw.length);
      this.#chunkLeft -= raw.length;
      if (!this.#sawBareLf) this.#sawBareLf = this.#hasBareLf(raw);
      this.#chunkEndedInCr = raw[raw.length - 1] === CR;
      const bytes = this.#chunkLines.push(raw);
      if (bytes.length > 0) return { kind: 'content', bytes };
    }
    this.#mode = 'command';
    return { kind: 'endOfChunk' };
  }

  #hasBareLf(raw: Buffer): boolean {
    for (let at = raw.indexOf(LF); at >= 0; at = raw.indexOf(LF, at + 1))
      if (at === 0 ? !this.#chunkEndedInCr : raw[at - 1] !== CR) return true;
    return false;
  }

  /** After the last chunk: the end of its last line, where it lacks one. */
  endChunks(): Buffer {
    const rest = this.#chunkLines.end();
    this.#chunkLines = new LineEndNormalizer();
    this.#chunkEndedInCr = false;
    return rest;
  }

  #nextContent(): Framed | undefined {
    return this.#fastContent() ?? this.#lineOfContent();
  }

  /**
   * Takes lines in one piece, up to one that needs a closer look: a dot before it, a bare LF or a second CR behind it. No
   * byte is looked at twice, or lines of two bytes would cost as much as they are many, squared.
   */
  #fastContent(): Framed | undefined {
    const buffer = this.#buffer;
    if (!this.#atLineStart || !this.#afterCrlf || buffer[0] === DOT) return undefined;
    let end = 0;
    for (let at = buffer.indexOf(LF); at >= 0 && hasOneCrBefore(buffer, at); at = buffer.indexOf(LF, end)) {
      end = at + 1;
      if (buffer[end] === DOT) break;
    }
    if (end === 0) return undefined;
    this.#buffer = buffer.subarray(end);
    return { kind: 'content', bytes: buffer.subarray(0, end) };
  }

  /** One line at a time: lone dots, stuffing, bare line feeds. */
  #lineOfContent(): Framed | undefined {
    const buffer = this.#buffer;
    const end = buffer.indexOf(LF);
    if (end < 0) return this.#partOfLongLine();
    const hasCrlf = end > 0 && buffer[end - 1] === CR;
    let textEnd = hasCrlf ? end - 1 : end;
    // `.<CR><CR><LF>` is no end mark either: a relay that passes it on would let its clients begin a message of ours
    if (this.#bareNewline === 'no') while (textEnd > 0 && buffer[textEnd - 1] === CR) textEnd -= 1;
    const text = buffer.subarray(0, textEnd);
    this.#buffer = buffer.subarray(end + 1);
    const startsLine = this.#atLineStart;
    const cleanBefore = this.#afterCrlf;
    this.#atLineStart = true;
    this.#afterCrlf = hasCrlf;
    if (!hasCrlf) this.#sawBareLf = true;
    if (startsLine && text.length === 1 && text[0] === DOT) {
      const endsContent = (hasCrlf && cleanBefore) || this.#bareNewline === 'no';
      if (endsContent) {
        this.#mode = 'command';
        return { kind: 'endOfContent' };
      }
      return { kind: 'content', bytes: empty }; // the lone dot beside a bare LF is dropped
    }
    const skip = startsLine && text[0] === DOT ? 1 : 0;
    const isClean = hasCrlf && textEnd === end - 1;
    return {
      kind: 'content',
      bytes: isClean ? buffer.subarray(skip, end + 1) : Buffer.concat([text.subarray(skip), crlf]),
    };
  }

  /** A line that has no end yet: given on in pieces once it is long, keeping a CR that may begin its end. */
  #partOfLongLine(): Framed | undefined {
    if (this.#buffer.length <= this.#maxLine) return undefined;
    let keep = 0;
    while (keep < this.#buffer.length && this.#buffer[this.#buffer.length - 1 - keep] === CR) keep += 1;
    if (keep > this.#maxLine) keep = 1;
    let bytes = this.#buffer.subarray(0, this.#buffer.length - keep);
    this.#buffer = this.#buffer.subarray(this.#buffer.length - keep);
    if (this.#atLineStart && bytes[0] === DOT) bytes = bytes.subarray(1);
    this.#atLineStart = false;
    return { kind: 'content', bytes };
  }
}

function hasOneCrBefore(buffer: Buffer, at: number): boolean {
  return buffer[at - 1] === CR && buffer[at - 2] !== CR;
}
