/** The Postfix text of any event. */
import { toExternal } from '#address';
import { printable } from '#message';
import type { MailEvent, ShownAddress } from './event.ts';
import { bounceRenderings } from './kinds/bounce.ts';
import { cleanupRenderings } from './kinds/cleanup.ts';
import { deliveryRenderings } from './kinds/delivery.ts';
import { masterRenderings } from './kinds/master.ts';
import { pickupRenderings } from './kinds/pickup.ts';
import { postscreenRenderings } from './kinds/postscreen.ts';
import { programRenderings } from './kinds/program.ts';
import { qmgrRenderings } from './kinds/qmgr.ts';
import { smtpClientRenderings } from './kinds/smtp-client.ts';
import { smtpdRenderings } from './kinds/smtpd.ts';
import { tlsRenderings } from './kinds/tls.ts';

type EventMap = { [E in MailEvent as E['kind']]: E };

const renderings: { readonly [K in keyof EventMap]: (event: EventMap[K], shown: ShownAddress) => string } = {
  ...smtpdRenderings,
  ...tlsRenderings,
  ...postscreenRenderings,
  ...cleanupRenderings,
  ...qmgrRenderings,
  ...deliveryRenderings,
  ...smtpClientRenderings,
  ...bounceRenderings,
  ...pickupRenderings,
  ...masterRenderings,
  ...programRenderings,
};

function renderAs<K extends keyof EventMap>(event: EventMap[K] & { readonly kind: K }, shown: ShownAddress): string {
  const render: (event: EventMap[K], shown: ShownAddress) => string = renderings[event.kind];
  return render(event, shown);
}

/** info_log_address_format: quoted as SMTP has it, or not at all. */
export type AddressForm = 'external' | 'internal';

const forms: Readonly<Record<AddressForm, ShownAddress>> = { external: toExternal, internal: (address) => address };

// oxlint-disable-next-line no-control-regex -- what must not reach a log file, of well-formed text
const unprintableCharacter = /[\x00-\x1f\x7f\ufffd]/;

/**
 * Text after the tag in the Postfix log; control characters and bytes that are no UTF-8 become `?`, and with smtputf8_enable off (`isUtf8`: false)
 * each byte beyond ASCII, too.
 */
export function renderPostfixText(event: MailEvent, form: AddressForm = 'external', isUtf8 = true): string {
  return withinLimit(cleaned(renderAs(event, forms[form]), isUtf8));
}

/** The name before the text, which of a line of postlog(1) is whatever the user says. */
export function renderTag(tag: string): string {
  return withinLimit(cleaned(tag, true));
}

function cleaned(text: string, isUtf8: boolean): string {
  const isPrintable = isUtf8 && text.isWellFormed() && !unprintableCharacter.test(text);
  return isPrintable ? text : printable(text.replaceAll('\ufffd', '?'), '?', isUtf8);
}

/** A message has at most so many bytes, what says how grave it is not counted. */
const mostBytes = 2000;

function withinLimit(text: string): string {
  // a unit of text has three bytes at most
  if (text.length <= mostBytes / 3) return text;
  const gravity = /^(?:warning|error|fatal|panic): /.exec(text)?.[0] ?? '';
  const bytes = Buffer.from(text.slice(gravity.length));
  if (bytes.length <= mostBytes) return text;
  // a character that is cut goes away whole
  return gravity + bytes.toString('utf8', 0, mostBytes).replace(/\ufffd+$/, '');
}
