/**
 * The tokens of an address header, aliases(5) value or command line address. RFC 5322, 3.2
 *
 * Tolerant: every text has tokens, and what is not closed ends with the text.
 */

export type WordKind = 'atom' | 'quotedString' | 'domainLiteral';

export type ScannedToken =
  /** `text`: without quotes or brackets, backslashes taken away. */
  | { readonly kind: WordKind; readonly text: string }
  /** `text`: with its parentheses, backslashes and line ends. */
  | { readonly kind: 'comment'; readonly text: string }
  | { readonly kind: 'operator'; readonly text: string };

// `%` and `!` because not all addresses are RFC 822's, `|` for commands in aliases.
const OPERATORS = '|"(),.:;<>@[]%!';
const SPACE = ' \t\r\n';
// oxlint-disable-next-line no-control-regex -- what makes an atom a quoted-string
const NEEDS_QUOTES = /[\x00-\x20\x7f()<>@,;:\\".[\]]/;

/** Tokens from left to right, `limit` of them at most (header_address_token_limit; 0: no limit). */
export function scanAddressTokens(text: string, limit = 0): ScannedToken[] {
  const tokens: ScannedToken[] = [];
  const scanner = new Scanner(text);
  for (;;) {
    const token = scanner.next();
    if (token === undefined) return tokens;
    tokens.push(token);
    if (limit > 0 && tokens.length >= limit) return tokens;
  }
}

/** All tokens, one by one as they are asked for. */
export function* addressTokens(text: string): Generator<ScannedToken> {
  const scanner = new Scanner(text);
  for (let token = scanner.next(); token !== undefined; token = scanner.next()) yield token;
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    // As in a C string, nothing is behind a null character.
    const end = text.indexOf('\0');
    this.#text = end < 0 ? text : text.slice(0, end);
  }

  next(): ScannedToken | undefined {
    const text = this.#text;
    while (this.#at < text.length && SPACE.includes(text.charAt(this.#at))) this.#at++;
    if (this.#at >= text.length) return undefined;
    const first = text.charAt(this.#at);
    switch (first) {
      case '(':
        return this.#comment();
      case '[':
        return this.#enclosed('domainLiteral', ']');
      case '"':
        return this.#enclosed('quotedString', '"');
      default:
        break;
    }
    if (OPERATORS.includes(first)) {
      this.#at++;
      return { kind: 'operator', text: first };
    }
    const atom = this.#collect((character) => OPERATORS.includes(character) || SPACE.includes(character));
    return { kind: NEEDS_QUOTES.test(atom) ? 'quotedString' : 'atom', text: atom };
  }

  #enclosed(kind: WordKind, close: string): ScannedToken {
    this.#at++;
    const token = { kind, text: this.#collect((character) => character === close) };
    this.#at++;
    return token;
  }

  /** Text up to a character that ends it; a backslash takes the next character as it is, white space becomes a space. */
  #collect(ends: (character: string) => boolean): string {
    const text = this.#text;
    let collected = '';
    for (; this.#at < text.length; this.#at++) {
      let character = text.charAt(this.#at);
      if (character === '\\') {
        this.#at++;
        if (this.#at >= text.length) break;
        character = text.charAt(this.#at);
      } else if (ends(character)) break;
      collected += SPACE.includes(character) ? ' ' : character;
    }
    return collected;
  }

  #comment(): ScannedToken {
    const text = this.#text;
    const start = this.#at;
    let depth = 0;
    for (; this.#at < text.length; this.#at++) {
      const character = text.charAt(this.#at);
      if (character === '\\') this.#at++;
      else if (character === '(') depth++;
      else if (character === ')' && --depth === 0) break;
    }
    this.#at = Math.min(this.#at + 1, text.length);
    return { kind: 'comment', text: text.slice(start, this.#at) };
  }
}
