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

export type LineEndRule = 'always' | 'strict' | 'never';

export interface InputRules {
  readonly dotIsText: boolean;
  /** sendmail_fix_line_endings */
  readonly lineEnds: LineEndRule;
}

/** Lines of a message, gathered into chunks that end with a line end. */
export class MessageLines {
  readonly #rules: InputRules;
  #rest: Buffer = Buffer.alloc(0);
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

  /** The finished lines of what has been read so far, LF line ends. */
  push(chunk: Buffer): Buffer {
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const end = data.lastIndexOf(LF) + 1;
    this.#rest = data.subarray(end);
    return this.#lines(data.subarray(0, end));
  }

  /** The last line, when it has no line end. */
  finish(): Buffer {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return rest.length === 0 ? rest : this.#lines(Buffer.concat([rest, NEWLINE]));
  }

  #lines(data: Buffer): Buffer {
    const pieces: Buffer[] = [];
    let start = 0;
    for (let at = 0; at < data.length && !this.#hasEnded;) {
      const lineEnd = data.indexOf(LF, at);
      const textEnd = this.#textEnd(data, at, lineEnd);
      const isDot = textEnd === at + 1 && data[at] === DOT && !this.#rules.dotIsText;
      const isDropped = isDot || (this.#isAtTop && isFromLine(data.subarray(at, textEnd)));
      if (!isDropped && this.#isAtTop) {
        this.#isAtTop = false;
        // what looks like a continuation continues nothing: the header section is empty
        if (data[at] === SPACE || data[at] === TAB) pieces.push(NEWLINE);
      }
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

/** Length of the header section in `data`; undefined while its end has not been seen. */
export function headerLength(data: Buffer): number | undefined {
  for (let at = 0; ;) {
    const lineEnd = data.indexOf(LF, at);
    if (lineEnd < 0) return undefined;
    const line = data.toString('latin1', at, lineEnd);
    const isContinuation = at > 0 && /^[ \t]/.test(line);
    if (!isContinuation && !HEADER_START.test(line)) return at;
    at = lineEnd + 1;
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
