/** Keys as people write them: folded, and refused where they are no UTF-8. */
import { foldCase } from '#address';

/** How keys are compared: `-f` keeps their case, and where they need not be UTF-8 only ASCII letters have one. */
export function foldedKey(key: string, flags: ReadonlySet<string>, isUtf8: boolean): string {
  if (flags.has('f')) return key;
  return isUtf8 ? foldCase(key) : key.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Whether decoding has found bytes that are no UTF-8. */
export function isMalformed(key: string): boolean {
  return key.includes('\ufffd');
}
