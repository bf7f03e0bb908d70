/** Splitting of values: white space, commas, and `{…}` that protects both. postconf(5) */

function split(
  text: string,
  isSeparator: (char: string) => boolean,
): readonly { readonly text: string; readonly at: number }[] {
  const words: { text: string; at: number }[] = [];
  let start = -1;
  let depth = 0;
  for (let i = 0; i < text.length; i += 1) {
    const char = text.charAt(i);
    if (depth === 0 && isSeparator(char)) {
      if (start >= 0) words.push({ text: text.slice(start, i), at: start });
      start = -1;
      continue;
    }
    if (start < 0) start = i;
    if (char === '{') depth += 1;
    else if (char === '}' && depth > 0) depth -= 1;
  }
  if (start >= 0) words.push({ text: text.slice(start), at: start });
  return words;
}

const isSpace = (char: string): boolean =>
  char === ' ' || char === '\t' || char === '\n' || char === '\r' || char === '\f' || char === '\v';
/**
 * Without the white space around it. It is that of C: a no-break space or a byte order mark belongs to the text, and so
 * does each byte of a character where text is read as bytes.
 */
export function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charAt(start))) start += 1;
  while (end > start && isSpace(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

const isListSeparator = (char: string): boolean => char === ',' || isSpace(char);

/** What stands in a word of braces; any other word as it is. */
export function unbraced(word: string): string {
  return word.startsWith('{') && word.endsWith('}') && word.length > 1 ? trimSpace(word.slice(1, -1)) : word;
}

/** Words separated by white space. */
export function splitWords(text: string): readonly string[] {
  return split(text, isSpace).map((word) => word.text);
}

/** List elements separated by commas or white space. */
export function splitList(text: string): readonly string[] {
  return split(text, isListSeparator).map((word) => word.text);
}

/** As splitList, with the index of each element in the text. */
export function splitListWithIndex(text: string): readonly { readonly text: string; readonly at: number }[] {
  return split(text, isListSeparator);
}

/** A warning about a list with `#` and what follows it: they count for nothing. Undefined: there is none. */
export function commentWarning(blame: string, text: string): string | undefined {
  const mark = split(text, isListSeparator).find((word) => word.text.startsWith('#'));
  if (mark === undefined) return undefined;
  const rest = text.slice(mark.at + mark.text.length + 1);
  return `${blame}: #comment after other text is not allowed: ${mark.text} ${rest.slice(0, 20)}...`;
}
