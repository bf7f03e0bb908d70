/**
 * The words of a command line. RFC 5321, 4.1.2; smtpd(8) is lax about blanks.
 *
 * Blanks part words, except behind a backslash and within `<…>` and `"…"`; a colon ends a word (`FROM:`) unless a path
 * has begun.
 */

export interface CommandWord {
  readonly text: string;
  /** A bracket or quote has no end. */
  readonly isUnbalanced: boolean;
}

const closing: Readonly<Record<string, string>> = { '<': '>', '"': '"' };

/** Index behind the end of what begins at `at` with a bracket or quote; -1 when it has no end. `<` may hold more of them. */
function endOfQuoted(line: string, at: number): number {
  const end = closing[line.charAt(at)];
  for (let i = at + 1; i < line.length; i += 1) {
    const char = line.charAt(i);
    if (char === '\\') i += 1;
    else if (char === end) return i + 1;
    else if (char === '"' || (char === '<' && end === '>')) {
      const after = endOfQuoted(line, i);
      if (after < 0) return -1;
      i = after - 1;
    }
  }
  return -1;
}

function isBlank(char: string): boolean {
  return char === ' ' || char === '\t' || char === '\r' || char === '\n' || char === '\f' || char === '\v';
}

/** The words of a line; the first is the verb. */
export function splitCommand(line: string): readonly CommandWord[] {
  const words: CommandWord[] = [];
  let start = 0;
  let isUnbalanced = false;
  const end = (at: number): void => {
    if (at > start) words.push({ text: line.slice(start, at), isUnbalanced });
    isUnbalanced = false;
  };
  for (let i = 0; i < line.length;) {
    const char = line.charAt(i);
    if (isBlank(char)) {
      end(i);
      i += 1;
      start = i;
    } else if (char === '<' || char === '"') {
      const after = endOfQuoted(line, i);
      isUnbalanced ||= after < 0;
      i = after < 0 ? line.length : after;
    } else if (char === '\\') i = Math.min(i + 2, line.length);
    else {
      i += 1;
      // `FROM:<a@b>`, and `FROM:a@b` too
      if (char === ':' && words.length === 1 && /^(?:from|to):$/i.test(line.slice(start, i))) {
        end(i);
        start = i;
      }
    }
  }
  end(line.length);
  return words;
}
