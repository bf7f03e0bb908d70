/** Text as one word of a command line that somebody copies into a shell. POSIX sh, 2.2 */

/** Quoted only where it has to be. */
export function shellWord(text: string): string {
  return /^[\w%+,./:=@-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
