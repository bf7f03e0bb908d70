/**
 * Whether any header section of a message declares content that is not 7-bit: then it is announced as such on its further
 * way, whatever the client said. RFC 6152; postconf(5) detect_8bit_encoding_header
 */
import { fieldBody, type MimeStructure, textOf } from '#message';
import { fieldName } from './header-fields.ts';

const declaration = /^[ \t]*(?:8bit|binary)[ \t]*$/i;

/**
 * A comment beside the word is not looked through, as Postfix does.
 *
 * @param name of a field, in lower case
 * @param text the whole field, its folding as CRLF
 */
export function declares8bit(name: string, text: string): boolean {
  if (name !== 'content-transfer-encoding') return false;
  return declaration.test(fieldBody(text).replaceAll('\r\n', ''));
}

const crlf = '\r\n';
const delimiterStart = '--';
/** What may be the beginning of a line end with a delimiter behind it. */
const keptBytes = 3;
const CR = 0x0d;
const LF = 0x0a;
/** Of a field no more is looked at, and no more of a line: one that says something of the structure is shorter. */
const longest = 8192;

/**
 * Looks for such fields in the header sections of parts, in any split of the body. Between those it reads no lines: one
 * search finds the next one that may be a boundary.
 */
export class PartEncodings {
  readonly #structure: MimeStructure;
  #rest: Buffer = Buffer.alloc(0);
  /** `#rest` begins with the start of a line. */
  #beginsLine: boolean;
  /** The field that is being read. */
  #field = '';
  #found = false;

  /** `structure`: read up to where this begins, behind the first header section; `beginsLine`: that is at the start of a line. */
  constructor(structure: MimeStructure, beginsLine: boolean) {
    this.#structure = structure;
    this.#beginsLine = beginsLine;
  }

  /** Whether one was found: a field counts once the next line, or the end, has come. */
  get found(): boolean {
    return this.#found;
  }

  /** Takes a piece of the body. */
  read(chunk: Buffer): void {
    if (this.#found) return;
    this.#rest = this.#isForgettable(chunk) ? chunk : Buffer.concat([this.#rest, chunk]);
    while (!this.#found && this.#skipBody() && this.#takeLine());
    // what is kept of a chunk should not keep all of it
    this.#rest = Buffer.from(this.#rest);
  }

  /** The content is complete. */
  end(): void {
    this.#endField();
  }

  /** Whether nothing is lost without the bytes that were kept: to put a chunk behind them costs more than to search it. */
  #isForgettable(chunk: Buffer): boolean {
    if (this.#rest.length === 0) return true;
    if (this.#structure.place !== 'body' || this.#beginsLine || chunk.length < keptBytes) return false;
    return delimiterIn(Buffer.concat([this.#rest, chunk.subarray(0, keptBytes)])) === undefined;
  }

  /** Goes on to a line that counts; false when none is here yet. */
  #skipBody(): boolean {
    if (this.#structure.place !== 'body') return true;
    const rest = this.#rest;
    const start = rest.toString('latin1', 0, delimiterStart.length);
    if (this.#beginsLine && delimiterStart.startsWith(start)) return start === delimiterStart;
    const at = delimiterIn(rest);
    const isHere = at !== undefined;
    this.#rest = rest.subarray(at ?? -keptBytes);
    this.#beginsLine = isHere;
    return isHere;
  }

  /** Takes a line, or a piece of a long one; false when it is not here yet. */
  #takeLine(): boolean {
    const end = this.#rest.indexOf(crlf, 0, 'latin1');
    if (end < 0 && this.#rest.length < longest) return false;
    const isWhole = end >= 0 && end < longest;
    const line = this.#rest.subarray(0, isWhole ? end : longest - 1);
    if (this.#beginsLine && !this.#readLine(line)) return true;
    this.#rest = this.#rest.subarray(isWhole ? end + crlf.length : longest - 1);
    this.#beginsLine = isWhole;
    return true;
  }

  /** False: it ends a header section, and is to be read once more as part of the body. */
  #readLine(line: Buffer): boolean {
    if (this.#structure.place === 'body') {
      this.#structure.readBoundary(line);
      return true;
    }
    const text = textOf(line);
    if (this.#field !== '' && /^[ \t]/.test(text)) {
      if (this.#field.length < longest) this.#field += crlf + text;
      return true;
    }
    this.#endField();
    if (fieldName(text) !== undefined) {
      this.#field = text;
      return true;
    }
    this.#structure.endHeader(text === '');
    return text === '';
  }

  #endField(): void {
    const field = this.#field;
    this.#field = '';
    const name = fieldName(field)?.toLowerCase() ?? '';
    if (!name.startsWith('content-t')) return;
    this.#structure.readField(name, fieldBody(field));
    this.#found ||= declares8bit(name, field);
  }
}

/** Where a line begins that may be a boundary, behind a line end. Most bodies have few hyphens: that is a quick search. */
function delimiterIn(bytes: Buffer): number | undefined {
  let from = 0;
  for (;;) {
    const at = bytes.indexOf(delimiterStart, from, 'latin1');
    if (at < 0) return undefined;
    if (at > 1 && bytes[at - 1] === LF && bytes[at - 2] === CR) return at;
    const lineEnd = bytes.indexOf(LF, at);
    if (lineEnd < 0) return undefined;
    from = lineEnd + 1;
  }
}
