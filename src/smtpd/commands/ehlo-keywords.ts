/** What EHLO announces, in Postfix's order. RFC 5321, 4.1.1.1 */
import type { Session } from '../session.ts';
import type { SmtpdSettings } from '../settings.ts';

export interface Announced {
  readonly discarded: ReadonlySet<string>;
  /** Those that only some clients may use. */
  readonly extensions: ReadonlySet<string>;
  /** STARTTLS can begin. */
  readonly offersTls: boolean;
  readonly offersRequireTls: boolean;
  /** `AUTH PLAIN LOGIN`, in all the forms asked for. */
  readonly auth: readonly string[];
}

/** REQUIRETLS means something only where the session itself is secure. RFC 8689, 4.2.1 */
export function offersRequireTls({ settings, tls, discarded }: Session): boolean {
  return settings.requireTls && tls !== undefined && !discarded.has('requiretls');
}

export function ehloKeywords(settings: SmtpdSettings, announced: Announced): readonly string[] {
  const all: readonly (readonly [string, string, boolean])[] = [
    ['pipelining', 'PIPELINING', true],
    ['size', settings.messageSizeLimit > 0 ? `SIZE ${settings.messageSizeLimit}` : 'SIZE', true],
    ['vrfy', 'VRFY', !settings.disableVrfy],
    ['etrn', 'ETRN', true],
    ['starttls', 'STARTTLS', announced.offersTls],
    ...announced.auth.map((text) => ['auth', text, true] as const),
    ['verp', 'XVERP', announced.extensions.has('XVERP')],
    [
      'xclient',
      'XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT',
      announced.extensions.has('XCLIENT'),
    ],
    ['xforward', 'XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT', announced.extensions.has('XFORWARD')],
    ['enhancedstatuscodes', 'ENHANCEDSTATUSCODES', true],
    ['8bitmime', '8BITMIME', true],
    ['dsn', 'DSN', true],
    ['smtputf8', 'SMTPUTF8', settings.smtputf8],
    ['chunking', 'CHUNKING', true],
    ['requiretls', 'REQUIRETLS', announced.offersRequireTls],
  ];
  return all.filter(([name, , isOn]) => isOn && !announced.discarded.has(name)).map(([, text]) => text);
}
