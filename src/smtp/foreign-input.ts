/** What clients send that is not SMTP, and how the log shows it. */
import { printable } from '#message';

/** `From:`: a command line that is a header field shows that content is taken for commands. */
export function isHeaderName(word: string): boolean {
  return /^[!-9;-~]+:/.test(word);
}

/** A name that somebody told, without characters that could mean something to whoever reads it later. */
export function neutered(name: string, isUtf8: boolean): string {
  return printable(name.replaceAll(/[ <>()\\";@]/g, '?'), '?', isUtf8);
}

const controlEscapes: ReadonlyMap<number, string> = new Map([
  [0x07, String.raw`\a`],
  [0x08, String.raw`\b`],
  [0x09, String.raw`\t`],
  [0x0a, String.raw`\n`],
  [0x0b, String.raw`\v`],
  [0x0c, String.raw`\f`],
  [0x0d, String.raw`\r`],
  [0x5c, '\\\\'],
]);

/** Bytes with C escapes for what is not printable. */
export function escapedText(bytes: Buffer): string {
  let out = '';
  for (const byte of bytes) out += escaped(byte);
  return out;
}

function escaped(byte: number): string {
  const known = controlEscapes.get(byte);
  if (known !== undefined) return known;
  return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`;
}

/** The first bytes of unexpected input, escaped. */
export function peekedText(bytes: Buffer): string {
  return escapedText(bytes.subarray(0, 100));
}
