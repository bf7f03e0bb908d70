/** Queries and results with parts of the key put in: `%s`, `%u`, `%d`, `%1` … sqlite_table(5), mysql_table(5), ldap_table(5) */

export interface QueryTemplate {
  readonly parts: readonly string[];
}

/** Fixed texts and `%x` in turn; undefined when there is an unknown `%x`. */
export function parseTemplate(text: string): QueryTemplate | undefined {
  const parts = text.split(/(%[^]?)/);
  return parts.every((part, i) => i % 2 === 0 || /^%[%sudSUD1-9]$/.test(part)) ? { parts } : undefined;
}

/** Local part and domain at the last `@`; no domain without one. */
function cut(text: string): { readonly user: string; readonly domain: string | undefined } {
  const at = text.lastIndexOf('@');
  return at < 0 ? { user: text, domain: undefined } : { user: text.slice(0, at), domain: text.slice(at + 1) };
}

/**
 * The template for a value; undefined when the value hasn't what the template asks for: then nothing is asked, or this
 * result doesn't count. Capital letters and digits are of the key. `quote` makes each part safe.
 */
export function expandTemplate(
  { parts }: QueryTemplate,
  value: string,
  key: string,
  quote: (text: string) => string = (text) => text,
): string | undefined {
  if (value === '') return undefined;
  let out = '';
  for (const [i, part] of parts.entries()) {
    if (i % 2 === 0) out += part;
    else if (part === '%%') out += '%';
    else {
      const piece = pieceFor(part.slice(1), value, key);
      if (piece === undefined) return undefined;
      out += quote(piece);
    }
  }
  return out;
}

function pieceFor(letter: string, value: string, key: string): string | undefined {
  if (/\d/.test(letter)) {
    const labels = cut(key).domain?.split('.') ?? [];
    return labels.at(-Number(letter));
  }
  const source = letter === letter.toLowerCase() ? value : key;
  const { user, domain } = cut(source);
  switch (letter.toLowerCase()) {
    case 'u':
      return user === '' ? undefined : user;
    case 'd':
      return domain === '' ? undefined : domain;
    default:
      return source;
  }
}
