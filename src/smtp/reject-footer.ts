/** What stands below a refusal: smtpd_reject_footer, postscreen_reject_footer. postconf(5) */
import { expandValue, unescape } from '#config';

export interface ReplyText {
  readonly code: number;
  readonly lines: readonly string[];
}

/** The reply with its footer: `\c` in front joins it to the last line, `\n` in it begins a new one. */
export function withFooter(
  reply: ReplyText,
  template: string,
  allowed: ReadonlySet<string>,
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

/** smtpd_expansion_filter: what a client says must not shape our reply. A `$` in a value is text. */
export function cleanMacro(value: string, allowed: ReadonlySet<string>): string {
  return Array.from(value)
    .map((char) => (allowed.has(char) ? char : '_'))
    .join('')
    .replaceAll('$', '$$$$');
}

/** The characters of smtpd_expansion_filter, which is written with C escapes. */
export function expansionFilter(text: string): ReadonlySet<string> {
  return new Set(unescape(text));
}
