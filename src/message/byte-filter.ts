/**
 * What strangers write must mean nothing to a shell, and must not shape our replies. postconf(5) smtpd_expansion_filter,
 * command_expansion_filter
 */
import { bytesOf, textOf } from './byte-text.ts';

/** The bytes that may pass. */
export type ByteFilter = ReadonlySet<number>;

/** A filter of the bytes of these characters. */
export function byteFilter(characters: string): ByteFilter {
  return new Set(bytesOf(characters));
}

/** The text with `_` for each byte that may not pass: two for an umlaut, as Postfix has it. */
export function filtered(text: string, allowed: ByteFilter): string {
  return textOf(Buffer.from(bytesOf(text).map((byte) => (allowed.has(byte) ? byte : 0x5f))));
}
