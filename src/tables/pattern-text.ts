/** `!/pattern/flags` in a line of a regexp or pcre table. regexp_table(5), pcre_table(5) */

/** In what the two kinds of tables differ there. */
export interface PatternSyntax {
  readonly flags: string;
  /** Those of `flags` that have no effect any more. */
  readonly obsoleteFlags: string;
  /** What becomes of a rule whose pattern isn't closed. */
  readonly unclosed: string;
  /** Whether `/one/!/two/` may stand for "one and not two". */
  readonly hasExceptions: boolean;
}

export interface PatternText {
  readonly negated: boolean;
  readonly pattern: string;
  readonly flags: string;
  readonly rest: string;
}

/** Cuts `!/pattern/flags` from a line; undefined after a warning. */
export function cutPattern(text: string, syntax: PatternSyntax, warn: (text: string) => void): PatternText | undefined {
  const bangs = /^[!\s]*/.exec(text)?.[0] ?? '';
  const body = text.slice(bangs.length);
  const delimiter = body.charAt(0);
  if (delimiter === '') {
    warn('no regexp: skipping this rule');
    return undefined;
  }
  let end = 1;
  for (; end < body.length; end += 1) {
    // a backslash is one even where it is the delimiter; at the end of the line it ends the pattern
    const isEscape = body.charAt(end) === '\\';
    if (isEscape && end < body.length - 1) end += 1;
    else if (isEscape || body.charAt(end) === delimiter) break;
  }
  if (end >= body.length) {
    warn(`no closing regexp delimiter "${delimiter}": ${syntax.unclosed}`);
    return undefined;
  }
  const flags = (syntax.hasExceptions ? /^[^\s!]*/ : /^\S*/).exec(body.slice(end + 1))?.[0] ?? '';
  for (const flag of flags) {
    if (syntax.obsoleteFlags.includes(flag)) warn(`ignoring obsolete regexp option "${flag}"`);
    if (syntax.flags.includes(flag)) continue;
    warn(`unknown regexp option "${/[\x20-\x7e]/.test(flag) ? flag : '?'}": skipping this rule`);
    return undefined;
  }
  const rest = body.slice(end + 1 + flags.length);
  return { negated: bangs.replaceAll(/\s/g, '').length % 2 === 1, pattern: body.slice(1, end), flags, rest };
}

/** Whether a flag was given an odd number of times. */
export function flagTest(flags: string): (flag: string) => boolean {
  return (flag) => flags.split(flag).length % 2 === 0;
}
