/**
 * Address lists that may be very long: read a piece at a time, so that neither time nor memory grows with all of the list
 * before its first address is known.
 */
import { addressesOf, readAddressTokens } from './address-list.ts';
import { addressTokens, type ScannedToken } from './scanner.ts';

/** A piece ends at the first comma after so many tokens. What is shorter is read as a whole. */
const enoughTokens = 2000;
/** Where no comma comes, it ends after so many. */
const mostTokens = 50_000;

/**
 * The addresses of a list, in internal form, a piece of the list at a time; none in a piece that has none. A `;` that ends
 * a group tells what stands to the left of it only as far as its own piece goes.
 */
export function* addressesInPieces(text: string): Generator<readonly string[]> {
  let tokens: ScannedToken[] = [];
  // a comma within <> belongs to a route
  let isInAngles = false;
  for (const token of addressTokens(text)) {
    tokens.push(token);
    const operator = token.kind === 'operator' ? token.text : '';
    if (operator === '<') isInAngles = true;
    else if (operator === '>') isInAngles = false;
    const isBetween = operator === ',' && !isInAngles;
    if (tokens.length < (isBetween ? enoughTokens : mostTokens)) continue;
    yield addressesOf(readAddressTokens(tokens));
    tokens = [];
  }
  if (tokens.length > 0) yield addressesOf(readAddressTokens(tokens));
}
