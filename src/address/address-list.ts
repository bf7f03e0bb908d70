/**
 * Addresses among the other text of a header, tolerant to what is no RFC 5322: nothing is thrown away, and commas that
 * are missing are added. RFC 5322, 3.4
 *
 * The reading goes from right to left over the tokens, because a `>` or `;` says what stands to the left of it.
 */
import { scanAddressTokens, type ScannedToken, type WordKind } from './scanner.ts';
import { wordText } from './words.ts';

/** Where in a local-part, in internal form, old ways of routing are asked for; within quotes nothing is. -1: nowhere. */
export interface LocalPartOperators {
  /** The first `!` outside of quotes. */
  readonly bang: number;
  /** The last `%` outside of quotes. */
  readonly percent: number;
}

/** A piece of an address list, in order. */
export type AddressToken =
  /** One address, internal form, and `text`, as it was written; '' inside `<>` is not a token. */
  | {
      readonly kind: 'address';
      readonly address: string;
      readonly text: string;
      /** There when no `@` stands outside of quotes: all of it is a local-part, whatever it holds. */
      readonly localPart?: LocalPartOperators;
    }
  /** Display names and other text. */
  | { readonly kind: WordKind; readonly text: string }
  | { readonly kind: 'comment'; readonly text: string }
  /** The colon of a named group. */
  | { readonly kind: 'groupStart' }
  /** `,` between addresses, `;` at the end of a group, `<` and `>` around an address, others as found. */
  | { readonly kind: 'operator'; readonly text: string };

/** Reads a list of at most `limit` tokens (header_address_token_limit; 0: no limit). Takes any text. */
export function parseAddressList(text: string, limit = 0): AddressToken[] {
  return readAddressTokens(scanAddressTokens(text, limit));
}

/** The list that tokens make. */
export function readAddressTokens(scanned: readonly ScannedToken[]): AddressToken[] {
  return new ListReader(scanned).read();
}

/** The addresses of a list in internal form; `<>` counts as none. */
export function addressesOf(tokens: readonly AddressToken[]): string[] {
  return tokens.flatMap((token) => (token.kind === 'address' ? [token.address] : []));
}

/** The list with each address replaced by what `rewrite` gives for it. */
export function mapAddresses(
  tokens: readonly AddressToken[],
  rewrite: (address: string) => string,
): readonly AddressToken[] {
  return tokens.map((token) => (token.kind === 'address' ? { ...token, address: rewrite(token.address) } : token));
}

class ListReader {
  readonly #scanned: readonly ScannedToken[];
  /** What was read, last token first. */
  readonly #reversed: AddressToken[] = [];
  /** Tokens of the address being read, last first, and the comments found among them. */
  #address: ScannedToken[] = [];
  #comments: AddressToken[] = [];
  #insideGroup = false;
  #wordMayFollow = true;

  constructor(scanned: readonly ScannedToken[]) {
    this.#scanned = scanned;
  }

  read(): AddressToken[] {
    let index = this.#scanned.length - 1;
    while (index >= 0) index = this.#step(index);
    this.#endAddress(false);
    return this.#reversed.reverse();
  }

  /** Takes the token at `index`, and gives the index of the next one to the left. */
  #step(index: number): number {
    const token = this.#scanned[index];
    if (token === undefined) return -1;
    if (token.kind === 'comment') {
      this.#comments.push(token);
      return index - 1;
    }
    if (token.kind !== 'operator') {
      if (!this.#wordMayFollow) this.#endAddress(true);
      this.#address.push(token);
      this.#wordMayFollow = false;
      return index - 1;
    }
    this.#wordMayFollow = true;
    switch (token.text) {
      case ';':
        this.#endAddress(true);
        this.#reversed.push(token);
        this.#insideGroup = true;
        return index - 1;
      case ',':
        this.#endAddress(false);
        this.#reversed.push(token);
        return index - 1;
      case '>':
        return this.#angleAddress(index);
      case ':':
        if (this.#insideGroup) return this.#groupName(index);
        break;
      default:
        break;
    }
    this.#address.push(token);
    return index - 1;
  }

  #groupName(index: number): number {
    this.#endAddress(false);
    this.#reversed.push({ kind: 'groupStart' });
    return this.#copyUntil(index - 1, ',');
  }

  /** From `>` to `<`, and the display name to the left of it. */
  #angleAddress(index: number): number {
    this.#endAddress(true);
    this.#reversed.push({ kind: 'operator', text: '>' });
    let at = index - 1;
    for (; at >= 0; at--) {
      const token = this.#scanned[at];
      if (token === undefined || (token.kind === 'operator' && token.text === '<')) break;
      if (token.kind === 'comment') this.#comments.push(token);
      else this.#address.push(token);
    }
    this.#endAddress(false);
    if (at < 0) return at;
    this.#reversed.push({ kind: 'operator', text: '<' });
    const end = this.#copyUntil(at - 1, '>;,:');
    const before = this.#scanned[end];
    if (this.#insideGroup || before?.kind !== 'operator' || before.text !== ':') return end;
    // what stands before the colon of a group that has no end is no part of the name
    this.#reversed.push(before);
    return end - 1;
  }

  /** Takes tokens as they are, up to one of the given operators. */
  #copyUntil(index: number, operators: string): number {
    let at = index;
    for (; at >= 0; at--) {
      const token = this.#scanned[at];
      if (token === undefined || (token.kind === 'operator' && operators.includes(token.text))) break;
      this.#reversed.push(token);
    }
    return at;
  }

  /** Makes an address of the tokens gathered; comments go to its right. */
  #endAddress(addComma: boolean): void {
    this.#reversed.push(...this.#comments);
    this.#comments = [];
    if (this.#address.length === 0) return;
    const parts = this.#address.reverse();
    const hasRoute = parts[0]?.kind === 'operator' && parts[0].text === '@';
    const address = joined(parts, internalText, hasRoute ? ',' : ', ');
    const text = joined(parts, wordText, ', ');
    const hasDomain = parts.some((part) => part.kind === 'operator' && part.text === '@');
    this.#reversed.push(
      hasDomain
        ? { kind: 'address', address, text }
        : { kind: 'address', address, text, localPart: operatorsOf(parts, address.length) },
    );
    this.#address = [];
    if (addComma) this.#reversed.push({ kind: 'operator', text: ',' });
  }
}

/** Operators that belong between addresses, and stand in one, keep their distance; but the commas of a route. */
function joined(parts: readonly ScannedToken[], textOf: (token: ScannedToken) => string, comma: string): string {
  return parts
    .map((token, index) => {
      if (token.kind !== 'operator') return textOf(token);
      if (token.text === ',') return comma;
      return token.text === '<' && index > 0 ? ' <' : token.text;
    })
    .join('');
}

function operatorsOf(parts: readonly ScannedToken[], length: number): LocalPartOperators {
  const first = (operator: string, from: readonly ScannedToken[]): number =>
    from.findIndex(({ kind, text }) => kind === 'operator' && text === operator);
  const lengthOf = (some: readonly ScannedToken[]): number => joined(some, internalText, ', ').length;
  const bang = first('!', parts);
  const percent = first('%', parts.toReversed());
  return {
    bang: bang < 0 ? -1 : lengthOf(parts.slice(0, bang)),
    percent: percent < 0 ? -1 : length - 1 - lengthOf(parts.slice(parts.length - percent)),
  };
}

function internalText(token: ScannedToken): string {
  return token.kind === 'domainLiteral' ? `[${token.text}]` : token.text;
}
