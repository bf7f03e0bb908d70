/** Characters that no content may hold, or that are taken out of it. postconf(5) message_reject_characters, message_strip_characters */
import { bytesOf, textOf } from '#message';

/** For each byte whether it is meant. */
export type ByteSet = Uint8Array;

/** Undefined for no characters. */
export function byteSet(characters: string): ByteSet | undefined {
  if (characters === '') return undefined;
  const set = new Uint8Array(256);
  for (const byte of bytesOf(characters)) set[byte] = 1;
  return set;
}

export function without(content: Buffer, set: ByteSet): Buffer {
  const out = Buffer.allocUnsafe(content.length);
  let length = 0;
  for (const byte of content) {
    if (set[byte] === 1) continue;
    out[length] = byte;
    length += 1;
  }
  return out.subarray(0, length);
}

/** The line with the first such character, as a log shows it: up to a null character; undefined when there is none. */
export function lineWith(content: Buffer, set: ByteSet): string | undefined {
  const at = content.findIndex((byte) => set[byte] === 1);
  if (at < 0) return undefined;
  const start = content.lastIndexOf(0x0a, at) + 1;
  const lineEnd = content.indexOf(0x0a, at);
  const line = textOf(content.subarray(start, lineEnd < 0 ? content.length : lineEnd));
  return /^[^\0\r]*/.exec(line)?.[0] ?? '';
}
