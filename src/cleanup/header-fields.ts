/** Header fields: cutting a header section into logical ones, and what their names say. RFC 5322, 2.2; cleanup(8) */
export interface HeaderField {
  /** As written. */
  readonly name: string;
  /** The whole field with its folding (CRLF), without the last line end; no blank before the colon. */
  readonly text: string;
}

const senderFields = new Set(
  'disposition-notification-to errors-to from mail-followup-to reply-to resent-from resent-sender return-path return-receipt-to sender'.split(
    ' ',
  ),
);
const recipientFields = new Set('apparently-to bcc cc resent-bcc resent-cc resent-reply-to resent-to to'.split(' '));
const mimeFields = new Set(
  'content-description content-disposition content-id content-transfer-encoding content-type mime-version'.split(' '),
);

const resentFields = new Set(
  ['bcc', 'cc', 'date', 'from', 'message-id', 'reply-to', 'sender', 'to'].map((name) => `resent-${name}`),
);

/** Whether a field, by its name in lower case, makes the message a resent one. RFC 5322, 3.6.6 */
export function isResentField(name: string): boolean {
  return resentFields.has(name);
}

/** Whose addresses a field holds. */
export function fieldRole(name: string): 'header_sender' | 'header_recipient' | undefined {
  const lower = name.toLowerCase();
  return senderFields.has(lower) ? 'header_sender' : recipientFields.has(lower) ? 'header_recipient' : undefined;
}

/** Whether mime_header_checks look at the field wherever it stands. */
export function isMimeField(name: string): boolean {
  return mimeFields.has(name.toLowerCase());
}

const fieldStart = /^([!-9;-~]+)([ \t]*):/;

/** Name of a line that begins a field; undefined for any other line. */
export function fieldName(line: string): string | undefined {
  return fieldStart.exec(line)?.[1];
}

/** A field of several lines as it is being read; once past header_size_limit it takes no further line. */
export class FieldReader {
  readonly name: string;
  readonly #limit: number;
  readonly #lines: string[];
  /** One for a line end. */
  #length: number;

  /** `line`: the first line, whose name was found. */
  constructor(name: string, line: string, limit: number) {
    this.name = name;
    this.#limit = limit;
    const colon = line.indexOf(':');
    const whole = colon === name.length ? line : name + line.slice(colon);
    this.#lines = [whole];
    this.#length = whole.length;
  }

  addLine(line: string): void {
    if (this.#length >= this.#limit) return;
    this.#lines.push(line);
    this.#length += 1 + line.length;
  }

  get field(): HeaderField {
    const text = this.#lines.join('\r\n');
    // as in a C string, nothing is behind a null character
    const end = text.indexOf('\0');
    return { name: this.name, text: end < 0 ? text : text.slice(0, end) };
  }
}

/**
 * A field within header_size_limit: cut at the end of a line, or, where that would lose more than a tenth of the limit,
 * within the line. A line end counts as one, the tab in front of a line that rewriting made as none. cleanup(8)
 */
export function clipField(text: string, limit: number, isRewritten: boolean): string {
  if (text.length <= limit) return text;
  const kept: string[] = [];
  let at = 0;
  for (const [index, line] of text.split('\r\n').entries()) {
    const margin = isRewritten && index > 0 ? 1 : 0;
    const length = line.length - margin;
    if (at + length > limit) {
      if (at <= 0.9 * limit) kept.push(line.slice(0, margin + limit - at));
      break;
    }
    kept.push(line);
    at += length + 1;
  }
  return kept.join('\r\n');
}

/**
 * The fields of a header section (CRLF line ends), one after the other: they may be many. Returns where it ends: at the
 * empty line, or at the first line that is no header; the end of the text when neither is there.
 */
export function* fieldsOf(section: string, limit: number): Generator<HeaderField, number> {
  let open: FieldReader | undefined;
  let at = 0;
  while (at < section.length) {
    const found = section.indexOf('\r\n', at);
    const end = found < 0 ? section.length : found;
    const line = section.slice(at, end);
    const first = line.charCodeAt(0);
    if (open !== undefined && (first === 0x20 || first === 0x09)) open.addLine(line);
    else {
      const name = fieldName(line);
      if (name === undefined) break;
      if (open !== undefined) yield open.field;
      open = new FieldReader(name, line, limit);
    }
    at = found < 0 ? end : end + 2;
  }
  if (open !== undefined) yield open.field;
  return at;
}
