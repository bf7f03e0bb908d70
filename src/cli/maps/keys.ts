/** Keys as people write them: folded, and refused where they are no UTF-8. */
import { foldCase } from '#address';

/** How keys are compared: `-f` keeps their case, `-u` knows only that of ASCII letters. */
export function foldedKey(key: string, flags: ReadonlySet<string>): string {
  if (flags.has('f')) return key;
  return flags.has('u') ? key.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase()) : foldCase(key);
}

/** Whether decoding has found bytes that are no UTF-8. */
export function isMalformed(key: string): boolean {
  return key.includes('\ufffd');
}
