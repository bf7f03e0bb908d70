/** What a command comes to: a reply, and whether the session goes on. */

export interface CommandResult {
  /** Lines of the reply, each with what follows the code; the code stands in `code`. */
  readonly code: number;
  readonly lines: readonly string[];
  /** Close after the reply. */
  readonly closes?: boolean;
  /** What the session does next with its input. */
  readonly next?: 'data' | { readonly chunk: number; readonly isLast: boolean };
}

/** A reply written as one text: `250 2.1.0 Ok`. */
export function replyOf(text: string, closes = false): CommandResult {
  return { code: Number(text.slice(0, 3)), lines: [text.slice(4)], ...(closes ? { closes } : {}) };
}
