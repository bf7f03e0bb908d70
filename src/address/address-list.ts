/**
 * Addresses in header bodies, alias values and command lines: RFC 5322 address lists, read as tolerantly as Postfix's
 * tok822 parser does. Linear in the input; never throws.
 */
import { toInternal } from './quoting.ts';

/** One address found in a text, with the place its addr-spec stands at. */
export interface FoundAddress {
  /** Internal form; '' for `<>`. */
  readonly address: string;
  /** Offsets of the addr-spec (without angle brackets) in the text. */
  readonly start: number;
  readonly end: number;
}

type TokenKind = 'atom' | 'quoted' | 'literal' | 'comment' | 'special' | 'space';

interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const specials = '<>@,:;.';

function endOfQuoted(text: string, from: number): number {
  for (let i = from + 1; i < text.length; i += 1) {
    const char = text.charAt(i);
    if (char === '\\') i += 1;
    else if (char === '"') return i + 1;
  }
  return text.length;
}

function endOfNested(text: string, from: number, open: string, close: string): number {
  let depth = 0;
  for (let i = from; i < text.length; i += 1) {
    const char = text.charAt(i);
    if (char === '\\') i += 1;
    else if (char === open) depth += 1;
    else if (char === close) {
      depth -= 1;
      if (depth === 0) return i + 1;
    }
  }
  return text.length;
}

function endOfAtom(text: string, from: number): number {
  let i = from;
  while (i < text.length && !/[\s()<>@,:;."[]/.test(text.charAt(i))) i += text.charAt(i) === '\\' ? 2 : 1;
  return Math.max(from + 1, Math.min(i, text.length));
}

function nextToken(text: string, at: number): Token {
  const char = text.charAt(at);
  const token = (kind: TokenKind, end: number): Token => ({ kind, text: text.slice(at, end), start: at, end });
  if (/\s/.test(char)) {
    let end = at + 1;
    while (end < text.length && /\s/.test(text.charAt(end))) end += 1;
    return token('space', end);
  }
  if (char === '"') return token('quoted', endOfQuoted(text, at));
  if (char === '(') return token('comment', endOfNested(text, at, '(', ')'));
  if (char === '[') return token('literal', endOfNested(text, at, '[', ']'));
  if (specials.includes(char)) return token('special', at + 1);
  return token('atom', endOfAtom(text, at));
}

/** Reads `<…>`: the route is dropped. Gives the index after it. */
function readAngle(tokens: readonly Token[], from: number, found: FoundAddress[]): number {
  let end = from + 1;
  while (end < tokens.length && tokens[end]?.text !== '>') end += 1;
  let inner = tokens.slice(from + 1, end);
  const colon = inner.findLastIndex((token) => token.kind === 'special' && token.text === ':');
  if (colon >= 0 && inner.find((token) => token.kind !== 'space')?.text === '@') inner = inner.slice(colon + 1);
  pushSpec(inner, found, tokens[from]?.end ?? 0);
  return end + 1;
}

/** An addr-spec out of tokens; white space and comments inside it are dropped. */
function pushSpec(tokens: readonly Token[], found: FoundAddress[], emptyAt: number): void {
  const parts = tokens.filter((token) => token.kind !== 'space' && token.kind !== 'comment');
  const [first] = parts;
  const last = parts.at(-1);
  if (first === undefined || last === undefined) {
    found.push({ address: '', start: emptyAt, end: emptyAt });
    return;
  }
  found.push({ address: toInternal(joinParts(parts)), start: first.start, end: last.end });
}

/** Words without a dot or `@` between them were separated by blanks. */
function joinParts(parts: readonly Token[]): string {
  let out = '';
  let glued = true;
  for (const part of parts) {
    const isSpecial = part.kind === 'special';
    if (!glued && !isSpecial) out += ' ';
    out += part.text;
    glued = isSpecial;
  }
  return out;
}

/** Whether words stand side by side, so that each is an address of its own (`alice bob`). */
function splitAtBlanks(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const out: Token[][] = [[]];
  let previous: Token | undefined;
  for (const token of tokens) {
    if (token.kind === 'space' || token.kind === 'comment') continue;
    const startsAnother = previous !== undefined && token.kind !== 'special' && previous.kind !== 'special';
    if (startsAnother) out.push([]);
    out.at(-1)?.push(token);
    previous = token;
  }
  return out.filter((list) => list.length > 0);
}

/** All addresses of a text, in order. `alice, Bob <bob@x>, list: carol@y;` gives three. */
export function parseAddressList(text: string): readonly FoundAddress[] {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length;) {
    const token = nextToken(text, at);
    tokens.push(token);
    at = token.end;
  }
  const found: FoundAddress[] = [];
  let pending: Token[] = [];
  const flush = (): void => {
    for (const words of splitAtBlanks(pending)) pushSpec(words, found, 0);
    pending = [];
  };
  for (let i = 0; i < tokens.length;) {
    const token = tokens[i];
    if (token === undefined) break;
    if (token.kind === 'special' && token.text === '<') {
      pending = []; // the display name
      i = readAngle(tokens, i, found);
      continue;
    }
    if (token.kind === 'special' && (token.text === ',' || token.text === ';')) flush();
    else if (token.kind === 'special' && token.text === ':' && !pending.some((other) => other.text === '@'))
      pending = []; // a group's name
    else pending.push(token);
    i += 1;
  }
  flush();
  return found;
}

/** The text with each address replaced by what `rewrite` makes of it (internal form in, external form out); undefined keeps it. */
export function mapAddresses(text: string, rewrite: (address: string) => string | undefined): string {
  let out = '';
  let at = 0;
  for (const { address, start, end } of parseAddressList(text)) {
    const replacement = rewrite(address);
    if (replacement === undefined || start < at) continue;
    out += text.slice(at, start) + replacement;
    at = end;
  }
  return out + text.slice(at);
}
