/** Text of others in messages: what a terminal would act on becomes `?`, as in Postfix. */

/** ASCII only: each other byte becomes `?`. */
export function printableAscii(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replaceAll(/[^ -~]/g, '?');
}

/** UTF-8 stays as it is. */
export function printableUtf8(text: string): string {
  return text.replaceAll(/[\p{Cc}\ufffd]/gu, '?');
}
