/** Prints records with what postcat(1)'s options put in front of them. */
import { type QueueRecord, recordSize } from './records.ts';

export interface PrintOptions {
  readonly envelope: boolean;
  readonly header: boolean;
  readonly body: boolean;
  /** -o: where each record begins. */
  readonly offsets: boolean;
  /** -d: the letter of its kind, in decimal. */
  readonly types: boolean;
  /** -v: what text of the message is. */
  readonly names: boolean;
  /** -f: the name of the file, before each line. */
  readonly files: boolean;
  /** -s: nothing in front of this place is shown. */
  readonly from: number;
}

/** A longer line is kept in several records. */
const longestText = 2048;
const LF = 10;
const CR = 13;

export class RecordPrinter {
  readonly #options: PrintOptions;
  readonly #write: (text: string | Uint8Array) => void;
  readonly #file: string;
  #offset = 0;

  constructor(options: PrintOptions, file: string, write: (text: string | Uint8Array) => void) {
    this.#options = options;
    this.#file = options.files ? `${file}: ` : '';
    this.#write = write;
  }

  envelope(records: readonly QueueRecord[]): void {
    let text = '';
    for (const { type, data, shown } of records) {
      if (this.#options.envelope && this.#offset >= this.#options.from) text += `${this.#front(type)}${shown}\n`;
      this.#offset += recordSize(data.length);
    }
    this.#write(text);
  }

  /** A record that is nothing but the end of a part. */
  mark(type: string, text: string): void {
    this.envelope([{ type, data: Buffer.alloc(0), shown: text }]);
  }

  /** Title of all of it: no record. */
  title(text: string): void {
    if (this.#options.envelope && this.#options.from === 0) this.#write(`${this.#file}${text}\n`);
  }

  /** Content with CRLF line ends; `headerBytes` of it are its header section. */
  content(content: Buffer, headerBytes: number): void {
    const { header, body } = this.#options;
    const pieces: Buffer[] = [];
    for (let at = 0; at < content.length;) {
      const end = content.indexOf(LF, at);
      const next = end < 0 ? content.length : end + 1;
      const isWanted = at < headerBytes ? header : body;
      const textEnd = end > at && content[end - 1] === CR ? end - 1 : end < 0 ? next : end;
      this.#line(content.subarray(at, textEnd), isWanted ? pieces : undefined);
      at = next;
    }
    this.#write(Buffer.concat(pieces));
  }

  /** Puts the records of one line into `shown`. */
  #line(line: Buffer, shown: Buffer[] | undefined): void {
    const { offsets, types, names } = this.#options;
    const isPerRecord = offsets || types || names;
    for (let at = 0; at <= line.length; at += longestText) {
      const part = line.subarray(at, at + longestText);
      const isLast = at + longestText >= line.length;
      if (this.#offset >= this.#options.from)
        shown?.push(
          Buffer.from(at === 0 || isPerRecord ? this.#textFront(isLast) : ''),
          part,
          Buffer.from(isLast || isPerRecord ? '\n' : ''),
        );
      this.#offset += recordSize(part.length);
      if (isLast) return;
    }
  }

  #textFront(isLast: boolean): string {
    const name = isLast ? 'regular_text' : 'unterminated_text';
    return this.#front(isLast ? 'N' : 'L') + (this.#options.names ? `${name}: ` : '');
  }

  #front(type: string): string {
    const { offsets, types } = this.#options;
    return (
      this.#file +
      (offsets ? `${String(this.#offset).padStart(9)} ` : '') +
      (types ? `${String(type.charCodeAt(0)).padStart(3)} ` : '')
    );
  }
}
