/** What a command comes to: a reply, and whether and how the session goes on. */
import type { TroubleClass } from './transcript.ts';

export interface CommandResult {
  readonly code: number;
  /** Lines of the reply, each with what follows the code. */
  readonly lines: readonly string[];
  /** Close after the reply. */
  readonly closes?: boolean;
  /** Whether it counts as an error of the client; by default a 4xx or 5xx reply does. */
  readonly isError?: boolean;
  /** What the postmaster is told went wrong, where the text of the reply does not say so. */
  readonly trouble?: TroubleClass | 'none';
  /** What the session does next with its input. */
  readonly content?: ContentOrder;
  /** STARTTLS: the handshake follows. */
  readonly startsTls?: boolean;
  /** XCLIENT: the session begins anew. */
  readonly restarts?: boolean;
}

/** Content that follows a command. `refusal`: it is read and thrown away, and answered with this. RFC 3030, 3 */
export type ContentOrder =
  | { readonly kind: 'data' }
  | { readonly kind: 'chunk'; readonly sizeBytes: number; readonly isLast: boolean; readonly refusal?: CommandResult };

/** A reply written as one text: `250 2.1.0 Ok`. */
export function replyOf(text: string, closes = false): CommandResult {
  return { code: Number(text.slice(0, 3)), lines: [text.slice(4)], ...(closes ? { closes } : {}) };
}

/** The queue can't be used now, and why stands in the log. */
export const writeErrorReply = '451 4.3.0 Error: queue file write error';

export function isErrorResult({ code, isError }: CommandResult): boolean {
  return isError ?? code >= 400;
}
