/**
 * Server-side framing: command lines, DATA content and BDAT chunks out of bytes in any split. Knows line ends, lone dots
 * and bounds; decides nothing. RFC 5321, 4.1.1, 4.5.2; RFC 3030
 */
import { type BareNewlineMode, type ContentForm, ContentLines } from './content-lines.ts';

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
const crlf = Buffer.from('\r\n');
const empty = Buffer.alloc(0);

type Mode = 'command' | 'data' | 'bdat';

export class CommandReader {
  #maxLine: number;
  readonly #recordLimit: number;
  #mode: Mode = 'command';
  #buffer: Buffer = empty;
  #skippingLine = false;
  #chunkLeft = 0;
  /** The start of a line whose end comes with a later chunk. */
  #chunkRest: Buffer = empty;
  #content: ContentLines;

  constructor(maxLine: number) {
    this.#maxLine = maxLine;
    this.#recordLimit = maxLine;
    this.#content = this.#newContent('normalize', 'plain');
  }

  #newContent(mode: BareNewlineMode, form: ContentForm): ContentLines {
    return new ContentLines(this.#recordLimit, mode, form);
  }

  /** Whether a bare LF was seen in the content read last. */
  get sawBareLf(): boolean {
    return this.#content.sawBareLf;
  }

  /** What long lines of the content count beyond their bytes, since this was asked last. */
  takeCutBytes(): number {
    return this.#content.takeCutBytes();
  }

  /** Bytes of a chunk that are here and not given yet. */
  get unfinishedBytes(): number {
    return this.#chunkRest.length + this.#buffer.length;
  }

  /** Input that waits to be read. */
  get waitingBytes(): Buffer {
    return this.#buffer;
  }

  /** The next bytes are message content up to the lone dot. */
  beginData(mode: BareNewlineMode): void {
    this.#mode = 'data';
    this.#content = this.#newContent(mode, 'dotted');
  }

  /** The next `size` bytes are a BDAT chunk; `place`: of a message's chunks. */
  beginChunk(size: number, mode: BareNewlineMode, place: 'first' | 'later'): void {
    this.#mode = 'bdat';
    this.#chunkLeft = size;
    if (place === 'later') return;
    this.#chunkRest = empty;
    this.#content = this.#newContent(mode, 'plain');
  }

  /** Sets the longest line from now on: bytes, with its CR. */
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
    const hasCr = raw.length > 0 && raw[raw.length - 1] === CR;
    // a bare LF has to be within the bound, too
    if (raw.length + (hasCr ? 0 : 1) > this.#maxLine) return { kind: 'longLine', text: raw.subarray(0, this.#maxLine) };
    return { kind: 'line', text: hasCr ? raw.subarray(0, -1) : raw, hasBareLf: !hasCr };
  }

  #nextContent(): Framed | undefined {
    const taken = this.#content.take(this.#buffer);
    if (taken === undefined) return undefined;
    this.#buffer = this.#buffer.subarray(taken.used);
    if (!taken.isEnd) return { kind: 'content', bytes: taken.bytes };
    this.#mode = 'command';
    return { kind: 'endOfContent' };
  }

  #nextChunk(): Framed | undefined {
    const here = this.#buffer.subarray(0, this.#chunkLeft);
    const rest = this.#chunkRest;
    const raw = rest.length === 0 ? here : Buffer.concat([rest, here]);
    const taken = this.#content.take(raw);
    if (taken !== undefined) {
      this.#chunkRest = empty;
      const used = taken.used - rest.length;
      this.#buffer = this.#buffer.subarray(used);
      this.#chunkLeft -= used;
      return { kind: 'content', bytes: taken.bytes };
    }
    if (here.length < this.#chunkLeft) return undefined;
    this.#buffer = this.#buffer.subarray(here.length);
    this.#chunkLeft = 0;
    this.#chunkRest = Buffer.from(raw);
    this.#mode = 'command';
    return { kind: 'endOfChunk' };
  }

  /** After the last chunk: its last line, where that lacks an end. */
  endChunks(): Buffer {
    const rest = this.#chunkRest;
    this.#chunkRest = empty;
    return rest.length === 0 ? empty : Buffer.concat([rest, crlf]);
  }
}
