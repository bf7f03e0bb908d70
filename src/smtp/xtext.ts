/** xtext. RFC 3461, 4 */
import { bytesOf, textOf } from '#message';

/** Undoes `+XX`; undefined when the text is malformed. */
export function decodeXtext(text: string): string | undefined {
  if (!text.includes('+')) return text;
  const bytes: number[] = [];
  const source = bytesOf(text);
  for (let i = 0; i < source.length; i += 1) {
    const byte = source[i] ?? 0;
    if (byte !== 0x2b) {
      bytes.push(byte);
      continue;
    }
    const hex = source.toString('latin1', i + 1, i + 3);
    if (!/^[0-9A-Fa-f]{2}$/.test(hex)) return undefined;
    bytes.push(Number.parseInt(hex, 16));
    i += 2;
  }
  return textOf(Buffer.from(bytes));
}

/** Encodes `+`, `=`, and what is not printable ASCII. */
export function encodeXtext(text: string): string {
  return text.replaceAll(/[^!-*,-<>-~]/gu, (char) =>
    [...bytesOf(char)].map((byte) => `+${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

/** Undoes `\x{HEX}`; undefined when the text is malformed. RFC 6533, 3: utf-8-addr-xtext, utf-8-addr-unitext */
export function decodeUtf8Xtext(text: string): string | undefined {
  if (!text.includes('\\x{')) return text;
  let isBad = false;
  const decoded = text.replaceAll(/\\x\{([0-9A-Fa-f]*)(\}?)/g, (_, hex: string, end: string) => {
    const code = hex === '' ? 0 : Number.parseInt(hex, 16);
    isBad ||= end === '' || !(code <= 0x10ffff);
    // halves of a pair are no characters
    return isBad || code === 0 ? '' : String.fromCodePoint(code).toWellFormed();
  });
  return isBad ? undefined : decoded;
}
