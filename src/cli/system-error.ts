/** What the system says when it refuses something. */
import { constants } from 'node:os';
import { getSystemErrorMessage } from 'node:util';

/** For which Node has other words, or none. */
const otherTexts: ReadonlyMap<number, string> = new Map([
  [constants.errno.EISDIR, 'Is a directory'],
  [constants.errno.EDQUOT, 'Disk quota exceeded'],
]);

/** As strerror(3) says it. Throws what is no error of the system. */
export function systemErrorText(error: unknown): string {
  if (!(error instanceof Error) || !('errno' in error) || typeof error.errno !== 'number') throw error;
  const text = otherTexts.get(-error.errno) ?? getSystemErrorMessage(error.errno);
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
