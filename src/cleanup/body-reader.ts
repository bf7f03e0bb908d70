/**
 * The body of a message line by line, where a table or a strict check has to see it: lines of the body, and the header
 * sections of parts and attached messages. cleanup(8), header_checks(5)
 */
import { bytesOf, fieldBody, type MimeStructure, textOf } from '#message';
import { isAscii } from 'node:buffer';
import { isAsciiText } from '#address';
import { declares8bit } from './declared-encoding.ts';
import { clipField, FieldReader, fieldName } from './header-fields.ts';
import { convertedLines, encodingField, isReplacedEncoding } from './input-conversion.ts';
import type { Inspector } from './inspector.ts';
import type { CleanupSettings } from './settings.ts';
import type { Steps } from './steps.ts';

const crlf = Buffer.from('\r\n');
const nothing = Buffer.alloc(0);
const SPACE = 0x20;
const TAB = 0x09;

/** A line, or a piece of one that is longer than line_length_limit; without its line end. */
interface Piece {
  readonly bytes: Buffer;
  readonly beginsLine: boolean;
  readonly endsLine: boolean;
}

export class BodyReader {
  readonly #settings: CleanupSettings;
  readonly #inspector: Inspector;
  readonly #structure: MimeStructure;
  #rest: Buffer = nothing;
  #beginsLine = true;
  /** Bytes of the body of this part so far, one for a line end: the empty line before it counts. */
  #offset: number;
  /** The header field that is being read: its lines, with line ends between them. */
  #field: Buffer[] | undefined;
  /** One for a line end. */
  #fieldLength = 0;
  #output: Buffer[] = [];
  #declares8bit = false;

  /** `offset`: what of the body came before. */
  constructor(settings: CleanupSettings, inspector: Inspector, structure: MimeStructure, offset: number) {
    this.#settings = settings;
    this.#inspector = inspector;
    this.#structure = structure;
    this.#offset = offset;
  }

  /** Whether a field, as the checks left it, declares content that is not 7-bit. */
  get declares8bit(): boolean {
    return this.#declares8bit;
  }

  /** Takes a piece of the body; gives what goes on. Content of an unfinished line is kept back, within a bound. */
  *read(chunk: Buffer): Steps<Buffer> {
    let rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const limit = this.#settings.lineLengthLimit;
    for (;;) {
      const end = rest.indexOf(crlf);
      if (end >= 0 && end <= limit) {
        yield* this.#take({ bytes: rest.subarray(0, end), beginsLine: this.#beginsLine, endsLine: true });
        this.#beginsLine = true;
        rest = rest.subarray(end + crlf.length);
      } else if (rest.length > limit + 1) {
        yield* this.#take({ bytes: rest.subarray(0, limit), beginsLine: this.#beginsLine, endsLine: false });
        this.#beginsLine = false;
        rest = rest.subarray(limit);
      } else break;
    }
    this.#rest = rest;
    return this.#taken();
  }

  /** What was kept back, at the end of the content. */
  *end(): Steps<Buffer> {
    if (this.#rest.length > 0) yield* this.#take({ bytes: this.#rest, beginsLine: this.#beginsLine, endsLine: false });
    this.#rest = nothing;
    yield* this.#endField();
    return this.#taken();
  }

  /** What was kept back, as it came: nothing has to look at it and at what follows. `beginsLine`: it is the start of one. */
  release(): { readonly kept: Buffer; readonly beginsLine: boolean } {
    const field = this.#field ?? [];
    const lineEnd = this.#field !== undefined && this.#beginsLine ? crlf : nothing;
    const kept = Buffer.concat([...field, lineEnd, this.#rest]);
    return { kept, beginsLine: this.#beginsLine || this.#field !== undefined };
  }

  #taken(): Buffer {
    const output = this.#output;
    this.#output = [];
    return output.length === 1 ? (output[0] ?? nothing) : Buffer.concat(output);
  }

  *#take(piece: Piece): Steps<void> {
    if (this.#structure.place !== 'body' && (yield* this.#takeHeader(piece))) return;
    yield* this.#takeBody(piece);
  }

  /** True when the piece belongs to a header section. */
  *#takeHeader({ bytes, beginsLine }: Piece): Steps<boolean> {
    const open = this.#field;
    if (open !== undefined && (!beginsLine || bytes[0] === SPACE || bytes[0] === TAB)) {
      if (this.#fieldLength < this.#settings.headerSizeLimit) open.push(...(beginsLine ? [crlf, bytes] : [bytes]));
      this.#fieldLength += bytes.length + (beginsLine ? 1 : 0);
      return true;
    }
    yield* this.#endField();
    if (fieldName(bytes.toString('latin1')) !== undefined) {
      this.#field = [bytes];
      this.#fieldLength = bytes.length;
      return true;
    }
    const made = encodingField(this.#structure, this.#settings);
    if (made !== undefined) yield* this.#putField(made, '');
    const problem = this.#structure.endHeader(bytes.length === 0);
    this.#offset = 0;
    if (problem !== undefined && this.#settings.strictEncodingDomain) this.#inspector.mimeError(problem);
    return false;
  }

  *#endField(): Steps<void> {
    if (this.#field === undefined) return;
    const [first = '', ...more] = textOf(Buffer.concat(this.#field)).split('\r\n');
    this.#field = undefined;
    const reader = new FieldReader(fieldName(first) ?? '', first, this.#settings.headerSizeLimit);
    for (const line of more) reader.addLine(line);
    const { name, text } = reader.field;
    readMimeField(this.#structure, this.#inspector, this.#settings, { name, text });
    if (!isReplacedEncoding(this.#structure, this.#settings, name)) yield* this.#putField(text, name);
  }

  /** `name` is '' for a field that was made here. */
  *#putField(text: string, name: string): Steps<void> {
    const checked = yield* this.#inspector.header(name, text, this.#structure.place);
    this.#put(checked.before, true);
    if (checked.text === undefined) return;
    this.#declares8bit ||= declares8bit(fieldName(checked.text)?.toLowerCase() ?? '', checked.text);
    this.#put(clipField(checked.text, this.#settings.headerSizeLimit, false), true);
  }

  *#takeBody({ bytes, beginsLine, endsLine }: Piece): Steps<void> {
    if (this.#settings.strict7bitBody && this.#structure.isPlain7bit && !isAscii(bytes)) {
      const text = 'improper use of 8-bit data in message body';
      this.#inspector.mimeError({ text, detail: textOf(bytes) });
    }
    const isBoundary = beginsLine && this.#settings.readsMime && this.#structure.readBoundary(bytes);
    // the last boundary begins what follows it; others end what was before them
    if (isBoundary && this.#structure.place === 'body') this.#offset = 0;
    const isConverted =
      this.#settings.convertsTo7bit && !isBoundary && this.#structure.encodingFor7bit === 'quoted-printable';
    if (!isConverted) return yield* this.#putBody(bytes, endsLine);
    for (const line of convertedLines(bytes, endsLine)) yield* this.#putBody(line, true);
  }

  *#putBody(bytes: Buffer, endsLine: boolean): Steps<void> {
    const limit = this.#settings.bodyChecksSizeLimit;
    const isChecked = bytes.length > 0 && (limit === 0 || this.#offset < limit);
    this.#offset += bytes.length + (endsLine ? 1 : 0);
    if (!isChecked || !this.#inspector.isOn || this.#settings.bodyChecks.list.isEmpty) this.#output.push(bytes);
    else {
      const text = textOf(bytes);
      const checked = yield* this.#inspector.body(text);
      this.#put(checked.before, true);
      if (checked.text === undefined) return;
      if (checked.text === text) this.#output.push(bytes);
      else this.#put(checked.text, false);
    }
    if (endsLine) this.#output.push(crlf);
  }

  #put(text: string | undefined, endsLine: boolean): void {
    if (text === undefined) return;
    this.#output.push(bytesOf(text));
    if (endsLine) this.#output.push(crlf);
  }
}

/** A field of any header section: what it says of the structure, and what the strict checks say of it. */
export function readMimeField(
  structure: MimeStructure,
  inspector: Inspector,
  settings: CleanupSettings,
  { name, text }: { readonly name: string; readonly text: string },
): void {
  if (settings.strict7bitHeaders && !isAsciiText(text))
    inspector.mimeError({ text: 'improper use of 8-bit data in message header', detail: text });
  if (!settings.readsMime) return;
  const problem = structure.readField(name, fieldBody(text));
  if (problem !== undefined && inspector.needsAllParts) inspector.mimeError(problem);
}
