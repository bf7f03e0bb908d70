/** The modes that `(?imsx-imsx)` sets within a Perl expression. pcre2pattern(3) */

/** The letters that `(?…)` can change. */
export interface Modes {
  readonly ignoreCase: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
  readonly extended: boolean;
}

export function changedModes(modes: Modes, on: string, off: string): Modes {
  const mode = (letter: string, now: boolean): boolean => (on.includes(letter) || now) && !off.includes(letter);
  return {
    ignoreCase: mode('i', modes.ignoreCase),
    multiline: mode('m', modes.multiline),
    dotAll: mode('s', modes.dotAll),
    extended: mode('x', modes.extended),
  };
}

/** Of the modes only case is left to JavaScript; the others are in what is written out. */
export function caseGroup(from: Modes, to: Modes): string | undefined {
  if (from.ignoreCase === to.ignoreCase) return undefined;
  return to.ignoreCase ? '(?i:' : '(?-i:';
}
