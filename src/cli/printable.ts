/** Text of others in messages: what a terminal would act on becomes `?`, as in Postfix. */
import { printable } from '#message';

/** ASCII only: each other byte becomes `?`. */
export function printableAscii(text: string): string {
  return printable(text, '?', false);
}

/** UTF-8 stays as it is. */
export function printableUtf8(text: string): string {
  return text.replaceAll(/[\p{Cc}\ufffd]/gu, '?');
}

/** What people are told of their files: what can't be seen, as text from a web page may hold, becomes `?`, too. */
export function visible(text: string): string {
  return printableUtf8(text).replaceAll(/[\p{Cf}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu, '?');
}
