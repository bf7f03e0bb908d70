/** What stands below a refusal: smtpd_reject_footer, postscreen_reject_footer. postconf(5) */
import { expandValue, unescape } from '#config';
import { byteFilter, type ByteFilter, filtered } from '#message';
import type { ReplyText } from './reply.ts';

/** The reply with its footer: `\c` in front joins it to the last line, `\n` in it begins a new one. */
export function withFooter(
  reply: ReplyText,
  template: string,
  allowed: ByteFilter,
  macro: (name: string) => string,
): ReplyText {
  const expanded = expandValue(template.replace(/^\\c/, ''), (name) => cleanMacro(macro(name), allowed));
  const text = expanded.kind === 'ok' ? expanded.text : template;
  const [first = '', ...rest] = text.split(String.raw`\n`);
  const lines = [...reply.lines];
  const dsn = /^[245]\.\d{1,3}\.\d{1,3} /.exec(lines[0] ?? '')?.[0] ?? '';
  const last = lines.length - 1;
  if (template.startsWith(String.raw`\c`)) lines[last] = (lines[last] ?? '') + first;
  else lines.push(dsn + first);
  return { code: reply.code, lines: [...lines, ...rest.map((line) => dsn + line)] };
}

/** A value as smtpd_expansion_filter lets it pass. A `$` in it is text. */
export function cleanMacro(value: string, allowed: ByteFilter): string {
  return filtered(value, allowed).replaceAll('$', '$$$$');
}

/** smtpd_expansion_filter, which is written with C escapes. */
export function expansionFilter(text: string): ByteFilter {
  return byteFilter(unescape(text));
}
