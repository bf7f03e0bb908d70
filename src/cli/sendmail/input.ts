/**
 * The message on standard input: line ends, the lone dot, From_ lines, and the recipients of its headers. sendmail(1)
 *
 * Content goes through chunk by chunk; only the header section is gathered, when recipients are to be taken from it.
 */
import { addressesOf, parseAddressList } from '#address';

const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;
const SPACE = 0x20;
const TAB = 0x09;
const NEWLINE = Buffer.from('\n');
const NOTHING = Buffer.alloc(0);

export type LineEndRule = 'always' | 'strict' | 'never';

export interface InputRules {
  readonly dotIsText: boolean;
  /** sendmail_fix_line_endings */
  readonly lineEnds: LineEndRule;
}

/** More of a line than this is not held back until its end comes. */
const longestHeld = 8192;

/** The text of a message as it comes, but for what the rest of a line decides about. */
export class MessageLines {
  readonly #rules: InputRules;
  #rest: Buffer = NOTHING;
  /** What became of the beginning of the line that #rest goes on with. */
  #begun: 'nothing' | 'given' | 'dropped' = 'nothing';
  #isAtTop = true;
  #stripsCr: boolean | undefined;
  #hasEnded = false;

  constructor(rules: InputRules) {
    this.#rules = rules;
    this.#stripsCr = rules.lineEnds === 'strict' ? undefined : rules.lineEnds === 'always';
  }

  /** A lone dot was read: nothing behind it counts. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** The finished lines of what has been read so far, LF line ends, and of a long one what is known of it. */
  push(chunk: Buffer): Buffer {
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const end = data.lastIndexOf(LF) + 1;
    this.#rest = data.subarray(end);
    const lines = this.#lines(data.subarray(0, end));
    if (this.#rest.length <= longestHeld || this.#hasEnded) return lines;
    return Buffer.concat([lines, ...this.#beginning()]);
  }

  /** The last line, when it has no line end. */
  finish(): Buffer {
    const rest = this.#rest;
    this.#rest = NOTHING;
    return rest.length === 0 && this.#begun === 'nothing' ? rest : this.#lines(Buffer.concat([rest, NEWLINE]));
  }

  /** What is there of a long line, but for CRs that may stand before its end. */
  #beginning(): readonly Buffer[] {
    const rest = this.#rest;
    let end = rest.length;
    while (this.#stripsCr !== false && end > 0 && rest[end - 1] === CR) end--;
    // it may be the lone dot still
    if (end < 2) return [];
    this.#rest = rest.subarray(end);
    if (this.#begun === 'nothing') this.#begun = this.#isAtTop && isFromLine(rest) ? 'dropped' : 'given';
    return this.#begun === 'dropped' ? [] : [this.#atTop(rest), rest.subarray(0, end)];
  }

  /** What goes in front of the line, if it is the first. */
  #atTop(line: Buffer): Buffer {
    const isFirst = this.#isAtTop;
    this.#isAtTop = false;
    // what looks like a continuation continues nothing: the header section is empty
    return isFirst && (line[0] === SPACE || line[0] === TAB) ? NEWLINE : NOTHING;
  }

  #lines(data: Buffer): Buffer {
    const pieces: Buffer[] = [];
    let start = 0;
    for (let at = 0; at < data.length && !this.#hasEnded;) {
      const lineEnd = data.indexOf(LF, at);
      const textEnd = this.#textEnd(data, at, lineEnd);
      const isWhole = this.#begun === 'nothing';
      const isDot = isWhole && textEnd === at + 1 && data[at] === DOT && !this.#rules.dotIsText;
      const isFrom = isWhole && this.#isAtTop && isFromLine(data.subarray(at, textEnd));
      const isDropped = isDot || isFrom || this.#begun === 'dropped';
      this.#begun = 'nothing';
      if (!isDropped && this.#isAtTop) pieces.push(this.#atTop(data.subarray(at, textEnd)));
      if (isDropped || textEnd < lineEnd) {
        pieces.push(data.subarray(start, isDropped ? at : textEnd));
        start = isDropped ? lineEnd + 1 : lineEnd;
      }
      this.#hasEnded = isDot;
      at = lineEnd + 1;
    }
    if (!this.#hasEnded) pieces.push(data.subarray(start));
    return pieces.length === 1 ? (pieces[0] ?? data) : Buffer.concat(pieces);
  }

  /** End of the line's text, without the CRs that do not count. */
  #textEnd(data: Buffer, start: number, lineEnd: number): number {
    let end = lineEnd;
    this.#stripsCr ??= end > start && data[end - 1] === CR;
    while (this.#stripsCr && end > start && data[end - 1] === CR) end--;
    return end;
  }
}

/** What mailboxes put in front of a message. */
function isFromLine(line: Buffer): boolean {
  return /^>{0,2}From /.test(line.toString('latin1', 0, 7));
}

const HEADER_START = /^[!-9;-~]+[ \t]*:/;

/** Where the header section ends, found while it comes. */
export class HeaderEnd {
  /** Of the lines that have come whole, with their ends. */
  #length = 0;
  /** Pieces of the line that has not. */
  #line: Buffer[] = [];

  /** The section's length; undefined while its end has not been seen. */
  push(chunk: Buffer): number | undefined {
    let start = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      const line = Buffer.concat([...this.#line.splice(0), chunk.subarray(start, end)]).toString('latin1');
      const isContinuation = this.#length > 0 && /^[ \t]/.test(line);
      if (!isContinuation && !HEADER_START.test(line)) return this.#length;
      this.#length += line.length + 1;
      start = end + 1;
    }
    this.#line.push(chunk.subarray(start));
    return undefined;
  }
}

/** Recipients in a header section with LF line ends: of Resent-To, -Cc, -Bcc when one of them is there, else To, Cc, Bcc. */
export function headerRecipients(header: Buffer): readonly string[] {
  const fields = header
    .toString('utf8')
    .replace(/\n(?=[ \t])/g, ' ')
    .split('\n');
  const found: { readonly isResent: boolean; readonly addresses: readonly string[] }[] = [];
  let hasResent = false;
  for (const field of fields) {
    const colon = field.indexOf(':');
    const name = field.slice(0, Math.max(colon, 0)).trim().toLowerCase();
    const match = /^(resent-)?(?:to|cc|bcc)$/.exec(name);
    if (match === null) continue;
    if (match[1] !== undefined) hasResent = true;
    const addresses = addressesOf(parseAddressList(field.slice(colon + 1)));
    found.push({ isResent: match[1] !== undefined, addresses });
  }
  return found.filter(({ isResent }) => isResent === hasResent).flatMap(({ addresses }) => addresses);
}
