/** The header section of a message: checked, rewritten, completed. cleanup(8), inventory i.2 */
import { addressesOf, formatAddressHeader, mapAddresses, parseAddressList, toExternal } from '#address';
import { formatMailDate } from '#message';
import type { Envelope } from '#message';
import { type AddressMaps, canonicalise } from './address-maps.ts';
import { fieldRole, type HeaderField } from './header-fields.ts';
import type { CleanupSettings } from './settings.ts';

/** Rewrites the addresses of a field; the field as it was when nothing changes. */
export async function rewriteField(
  field: HeaderField,
  context: 'local' | 'remote',
  maps: AddressMaps,
): Promise<HeaderField> {
  const role = fieldRole(field.name);
  if (role === undefined) return field;
  const body = field.text.slice(field.text.indexOf(':') + 1);
  const tokens = parseAddressList(body, maps.settings.headerTokenLimit);
  const rewritten = new Map<string, string>();
  for (const address of addressesOf(tokens)) {
    if (!rewritten.has(address))
      rewritten.set(address, await canonicalise(maps.rewriter.rewrite(address, context), role, maps));
  }
  if ([...rewritten].every(([before, after]) => before === after)) return field;
  const mapped = mapAddresses(tokens, (address) => rewritten.get(address) ?? address);
  return { name: field.name, text: formatAddressHeader(field.name, mapped) };
}

/** `YYYYMMDDhhmmss.QUEUEID@myhostname` in GMT; with long queue IDs `QUEUEID@myhostname`. */
export function makeMessageId(at: number, queueId: string, { longQueueIds, myhostname }: CleanupSettings): string {
  const stamp = new Date(at).toISOString().replaceAll(/[-:T]|\..*$/g, '');
  return longQueueIds ? `<${queueId}@${myhostname}>` : `<${stamp}.${queueId}@${myhostname}>`;
}

/** A From: body for a sender with a full name. header_from_format */
function fromBody(envelope: Pick<Envelope, 'sender' | 'fullName'>, sender: string, isStandard: boolean): string {
  if (envelope.sender === '') return 'MAILER-DAEMON';
  if (envelope.fullName === '') return toExternal(sender);
  if (!isStandard) return `${toExternal(sender)} (${envelope.fullName.replaceAll(/[()\\]/g, String.raw`\$&`)})`;
  const name = /^[\w !#$%&'*+\-/=?^`{|}~]+$/.test(envelope.fullName)
    ? envelope.fullName
    : `"${envelope.fullName.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
  return `${name} <${toExternal(sender)}>`;
}

export interface MissingFieldsInput {
  readonly present: ReadonlySet<string>;
  readonly envelope: Pick<Envelope, 'sender' | 'fullName' | 'arrivedAt'>;
  /** The envelope sender in standard form. */
  readonly sender: string;
  readonly queueId: string;
  readonly settings: CleanupSettings;
}

/** Fields that a message must have and lacks, in Postfix's order; Resent- forms when any Resent- field is there. */
export function missingFields({ present, envelope, sender, queueId, settings }: MissingFieldsInput): {
  readonly lines: readonly string[];
  readonly messageId: string;
} {
  const isResent = [...present].some((name) => name.startsWith('resent-'));
  const prefix = isResent ? 'Resent-' : '';
  const has = (name: string): boolean => present.has(`${prefix}${name}`.toLowerCase());
  const lines: string[] = [];
  let messageId = '';
  if (!has('Message-Id')) {
    messageId = makeMessageId(envelope.arrivedAt, queueId, settings);
    lines.push(`${prefix}Message-Id: ${messageId}`);
  }
  if (!has('Date')) lines.push(`${prefix}Date: ${formatMailDate(envelope.arrivedAt)}`);
  if (!has('From')) lines.push(`${prefix}From: ${fromBody(envelope, sender, settings.headerFromStandard)}`);
  const hasRecipients = ['to', 'cc', 'resent-to', 'resent-cc'].some((name) => present.has(name));
  if (!hasRecipients && settings.undisclosedRecipients !== '') lines.push(settings.undisclosedRecipients);
  return { lines, messageId };
}
