/**
 * Bytes of mail as text that is the same bytes again: UTF-8 where it is UTF-8, and for each other byte a surrogate that
 * no text holds by itself, U+DC00 plus the byte. So mail in old character sets passes tables and checks unharmed.
 */
import { isUtf8 } from 'node:buffer';

const rawByte = 0xdc00;

/** Text of any bytes, which `bytesOf` turns back; well-formed just where they are UTF-8. */
export function textOf(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString();
  const units = new Uint16Array(bytes.length);
  let end = 0;
  for (let at = 0; at < bytes.length;) {
    const length = characterLength(bytes, at);
    const character = length === 0 ? rawByte + (bytes[at] ?? 0) : characterAt(bytes, at, length);
    if (character > 0xffff) {
      units[end] = 0xd800 + ((character - 0x10000) >> 10);
      end += 1;
    }
    units[end] = character > 0xffff ? 0xdc00 + (character & 0x3ff) : character;
    end += 1;
    at += length || 1;
  }
  return Buffer.from(units.buffer, 0, end * 2).toString('utf16le');
}

/** The bytes of text: of `textOf`, or any other. */
export function bytesOf(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text);
  const bytes = Buffer.allocUnsafe(text.length * 3);
  let end = 0;
  // where text begins that is not written yet
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.codePointAt(at) ?? 0;
    if (character > 0xffff) at += 1;
    if (!isRawByte(character)) continue;
    if (from < at) end += bytes.write(text.slice(from, at), end);
    bytes[end] = character - rawByte;
    end += 1;
    from = at + 1;
  }
  if (from < text.length) end += bytes.write(text.slice(from), end);
  return bytes.subarray(0, end);
}

/** For a stream, which writes text that is UTF-8 faster than bytes. */
export function streamable(text: string): string | Buffer {
  return text.isWellFormed() ? text : bytesOf(text);
}

/** How many bytes `bytesOf` gives. */
export function byteLengthOf(text: string): number {
  return text.isWellFormed() ? Buffer.byteLength(text) : bytesOf(text).length;
}

/** For readers who know no bytes that are no text: `mark` in the place of each. */
export function markedBytes(text: string, mark: string): string {
  return text.isWellFormed() ? text : text.replaceAll(/[\ud800-\udfff]/gu, mark);
}

// oxlint-disable-next-line no-control-regex -- what must not reach logs and replies
const unprintable = /[\x00-\x1f\x7f\ud800-\udfff]/gu;

/** `mark` in the place of each control character and byte that is no text; without `isUtf8` of each byte beyond ASCII, too. smtputf8_enable */
export function printable(text: string, mark: string, isUtf8: boolean): string {
  const safe = text.replaceAll(unprintable, mark);
  return isUtf8 ? safe : safe.replaceAll(/[^ -~]/gu, (character) => mark.repeat(Buffer.byteLength(character)));
}

function isRawByte(unit: number): boolean {
  return unit >= rawByte + 0x80 && unit <= rawByte + 0xff;
}

/** Of the UTF-8 character that begins at a place; 0 where none does. RFC 3629, 4 */
function characterLength(bytes: Buffer, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  for (let i = 1; i < length; i += 1) if (((bytes[at + i] ?? 0) & 0xc0) !== 0x80) return 0;
  const second = bytes[at + 1] ?? 0;
  // written longer than need be, a surrogate, or beyond the last character
  if ((first === 0xe0 && second < 0xa0) || (first === 0xed && second > 0x9f)) return 0;
  return (first === 0xf0 && second < 0x90) || (first === 0xf4 && second > 0x8f) ? 0 : length;
}

function characterAt(bytes: Buffer, at: number, length: number): number {
  const first = bytes[at] ?? 0;
  if (length === 1) return first;
  let character = first & (0x7f >> length);
  for (let i = 1; i < length; i += 1) character = (character << 6) | ((bytes[at + i] ?? 0) & 0x3f);
  return character;
}
