/** C escapes in values: `\n`, `\0`, `\377`. postconf(5) smtpd_expansion_filter, message_reject_characters; pipe(8) eol= */
import { textOf } from '#message';

const simple: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** The text with its escapes replaced, for `bytesOf` to turn into bytes: an escape is one byte. */
export function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{1,3}|.)/gs, (_, escape: string) =>
    /^[0-7]/.test(escape) ? textOf(Buffer.of(Number.parseInt(escape, 8))) : (simple[escape] ?? escape),
  );
}
