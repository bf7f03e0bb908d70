/** Logical lines of Postfix's configuration files: comments, continuation, line numbers. postconf(5) */

/** A physical line that is part of a logical one. */
export interface LinePiece {
  readonly text: string;
  readonly line: number;
}

export interface LogicalLine {
  /** All pieces joined as they stand. */
  readonly text: string;
  readonly line: number;
  readonly pieces: readonly LinePiece[];
}

export interface LogicalLines {
  readonly lines: readonly LogicalLine[];
  /** A first line that begins with white space and so continues nothing, with what continues it. */
  readonly stray: string | undefined;
}

/** What is said of a line that continues nothing. */
export function strayLineWarning(path: string, text: string): string {
  const start = text.length > 30 ? `${text.slice(0, 30)}...` : text;
  return `${path}: logical line must not start with whitespace: "${start}"`;
}

/** Splits a file. Blank and comment lines are skipped, also between continuation lines. */
export function readLogicalLines(content: string): LogicalLines {
  const lines: { text: string; line: number; pieces: LinePiece[] }[] = [];
  let stray: string | undefined;
  let number = 0;
  for (const raw of content.split('\n')) {
    number += 1;
    const text = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (/^[ \t-\r]*(?:#|$)/.test(text)) continue;
    const piece = { text, line: number };
    if (!/^[ \t-\r]/.test(text)) lines.push({ text, line: number, pieces: [piece] });
    else {
      const last = lines.at(-1);
      if (last === undefined) stray = (stray ?? '') + text;
      else {
        last.text += text;
        last.pieces.push(piece);
      }
    }
  }
  return { lines, stray };
}
