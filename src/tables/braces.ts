/** Texts in braces, as table names hold them. */

/** Cuts `{ text }` to its text; otherwise says what is wrong. */
export function insideOf(text: string): { readonly inner: string } | string {
  if (!text.startsWith('{')) return `no '{' at start of text in "${text}"`;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text.charAt(at) === '{') depth += 1;
    else if (text.charAt(at) === '}') depth -= 1;
    if (depth > 0) continue;
    return at === text.length - 1 ? { inner: text.slice(1, at).trim() } : `syntax error after '}' in "${text}"`;
  }
  return `missing '}' in "${text}"`;
}

/** What `{ … }` encloses; undefined when it isn't that, or holds nothing. */
export function insideBraces(text: string): string | undefined {
  const inside = insideOf(text);
  return typeof inside === 'string' || inside.inner === '' ? undefined : inside.inner;
}
