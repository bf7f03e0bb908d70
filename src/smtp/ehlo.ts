/** The keywords of an EHLO or LHLO reply. RFC 5321, 4.1.1.1 */

/** Keyword in upper case → its parameters. The first line (the greeting) is skipped. */
export function parseEhloKeywords(lines: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const keywords = new Map<string, readonly string[]>();
  for (const line of lines.slice(1)) {
    const [word = '', ...parameters] = line.trim().split(/[\s=]+/);
    if (word !== '') keywords.set(word.toUpperCase(), parameters);
  }
  return keywords;
}
