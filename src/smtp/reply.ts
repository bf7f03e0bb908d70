/** Replies: reading them as a client, writing them as a server. RFC 5321, 4.2 */

export interface Reply {
  readonly code: number;
  /** Text of each line, without code and separator. */
  readonly lines: readonly string[];
}

export type ReplyResult =
  | { readonly kind: 'reply'; readonly reply: Reply }
  | { readonly kind: 'bad'; readonly line: string };

const maxLine = 4096;
const maxLines = 1000;

/** Gathers bytes in any split and gives whole replies. */
export class ReplyParser {
  #rest = '';
  #lines: string[] = [];

  /** Replies that are complete now. Lines over the bound are cut, replies over it end as bad. */
  push(bytes: Buffer): readonly ReplyResult[] {
    this.#rest += bytes.toString('utf8');
    const out: ReplyResult[] = [];
    for (;;) {
      const end = this.#rest.indexOf('\n');
      if (end < 0) break;
      const line = this.#rest.slice(0, Math.min(end, maxLine)).replace(/\r+$/, '');
      this.#rest = this.#rest.slice(end + 1);
      const match = /^(\d{3})(?:([ -])(.*))?$/s.exec(line);
      if (match === null || this.#lines.length >= maxLines) {
        this.#lines = [];
        out.push({ kind: 'bad', line });
        continue;
      }
      this.#lines.push(match[3] ?? '');
      if (match[2] === '-') continue;
      out.push({ kind: 'reply', reply: { code: Number(match[1]), lines: this.#lines } });
      this.#lines = [];
    }
    if (this.#rest.length > maxLine) this.#rest = this.#rest.slice(0, maxLine);
    return out;
  }
}

/** A server's reply of one or more lines, CRLF-ended. `lines` hold what follows the code. */
export function formatReply(code: number, lines: readonly string[]): string {
  return lines.map((line, i) => `${code}${i < lines.length - 1 ? '-' : line === '' ? '' : ' '}${line}\r\n`).join('');
}
