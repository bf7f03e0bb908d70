/** The order of recipients in the queue manager: by domain, so that those of one site stand together, then by address. qmgr(8) */
import { splitAddress } from './parts.ts';

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** For sort: upper and lower case are the same, and what has no domain comes last. */
export function compareByDomain(first: string, second: string): number {
  const [one, other] = [first.toLowerCase(), second.toLowerCase()];
  const [ofOne, ofOther] = [splitAddress(one).domain, splitAddress(other).domain];
  if (ofOne === ofOther) return order(one, other);
  if (ofOne === '' || ofOther === '') return ofOne === '' ? 1 : -1;
  return order(ofOne, ofOther);
}
