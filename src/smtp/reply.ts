/** Replies as a server writes them. RFC 5321, 4.2 */

export interface ReplyText {
  readonly code: number;
  /** Text of each line, without code and separator. */
  readonly lines: readonly string[];
}

/** A server's reply of one or more lines, CRLF-ended. `lines` hold what follows the code. */
export function formatReply(code: number, lines: readonly string[]): string {
  return lines.map((line, i) => `${code}${i < lines.length - 1 ? '-' : line === '' ? '' : ' '}${line}\r\n`).join('');
}
