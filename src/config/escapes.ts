/** C escapes in values: `\n`, `\0`, `\177`. postconf(5) smtpd_expansion_filter, message_reject_characters; pipe(8) eol= */

const simple: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** The text with its escapes replaced. */
export function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{1,3}|.)/gs, (_, escape: string) =>
    /^[0-7]/.test(escape) ? String.fromCharCode(Number.parseInt(escape, 8)) : (simple[escape] ?? escape),
  );
}
