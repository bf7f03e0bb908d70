/**
 * The fixed text that every match of an expression begins with. Most rules of header_checks are `/^Name: …/`, and most
 * headers are others: comparing the start spares the call into the C library.
 */

/** A test that every matching key passes; undefined when the pattern promises no start. */
export function literalPrefix(pattern: string, ignoreCase: boolean): ((key: string) => boolean) | undefined {
  if (!pattern.startsWith('^') || hasAlternatives(pattern)) return undefined;
  let text = /^[\w:;,@<> -]*/.exec(pattern.slice(1))?.[0] ?? '';
  // A repeat that may be none belongs to the last character.
  if (/^[*?{+]/.test(pattern.slice(1 + text.length))) text = text.slice(0, -1);
  if (text === '') return undefined;
  const { length } = text;
  if (!ignoreCase) return (key) => key.startsWith(text);
  const lower = text.toLowerCase();
  return (key) => key.slice(0, length).toLowerCase() === lower;
}

/** A bracket expression without characters that a scan of the pattern could take for groups, escapes or alternatives. */
const plainBracket = /^\[\^?(?:[^\][\\()|]|\[:\w+:\])+\]/;

/** Whether a `|` may stand outside of all groups; when in doubt it does. */
function hasAlternatives(pattern: string): boolean {
  if (!pattern.includes('|')) return false;
  let depth = 0;
  for (let at = 0; at < pattern.length; at += 1) {
    switch (pattern.charAt(at)) {
      case '\\':
        at += 1;
        if (pattern.charAt(at) === 'Q') return true;
        break;
      case '[': {
        const bracket = plainBracket.exec(pattern.slice(at))?.[0];
        if (bracket === undefined) return true;
        at += bracket.length - 1;
        break;
      }
      case '(':
        depth += 1;
        break;
      case ')':
        depth -= 1;
        break;
      case '|':
        if (depth <= 0) return true;
        break;
    }
  }
  return false;
}
