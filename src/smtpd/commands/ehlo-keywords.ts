/** What EHLO announces, in Postfix's order. inventory e.1 */
import type { SmtpdSettings } from '../settings.ts';

export interface Announced {
  readonly xclient: boolean;
  readonly xforward: boolean;
}

export function ehloKeywords(settings: SmtpdSettings, { xclient, xforward }: Announced): readonly string[] {
  const all: readonly (readonly [string, string, boolean])[] = [
    ['pipelining', 'PIPELINING', true],
    ['size', settings.messageSizeLimit > 0 ? `SIZE ${settings.messageSizeLimit}` : 'SIZE', true],
    ['vrfy', 'VRFY', !settings.disableVrfy],
    ['etrn', 'ETRN', true],
    ['xclient', 'XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT', xclient],
    ['xforward', 'XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT', xforward],
    ['enhancedstatuscodes', 'ENHANCEDSTATUSCODES', true],
    ['8bitmime', '8BITMIME', true],
    ['dsn', 'DSN', true],
    ['smtputf8', 'SMTPUTF8', settings.smtputf8],
    ['chunking', 'CHUNKING', true],
  ];
  return all.filter(([name, , isOn]) => isOn && !settings.discardedKeywords.has(name)).map(([, text]) => text);
}
