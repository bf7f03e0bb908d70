/** Header fields that a message must have, made where they lack. cleanup(8) */
import { isAsciiText, toExternal } from '#address';
import { type Envelope, formatMailDate } from '#message';
import { encodeWords, isCharset } from './encoded-words.ts';
import { isResentField } from './header-fields.ts';
import type { CleanupSettings } from './settings.ts';

/** `YYYYMMDDhhmmss.QUEUEID@myhostname` in GMT; with long queue IDs `QUEUEID@myhostname`. */
function makeMessageId(
  at: number,
  queueId: string,
  { longQueueIds, myhostname }: Pick<CleanupSettings, 'longQueueIds' | 'myhostname'>,
): string {
  if (longQueueIds) return `<${queueId}@${myhostname}>`;
  const stamp = new Date(at).toISOString().replaceAll(/[-:T]|\..*$/g, '');
  return `<${stamp}.${queueId}@${myhostname}>`;
}

type FromSettings = Pick<CleanupSettings, 'headerFromStandard' | 'fullNameCharset'>;

/** The body of a From: for a sender, with its full name if there is one. postconf(5) header_from_format */
function fromBody(sender: string, fullName: string, settings: FromSettings): string {
  if (sender === '') return 'MAILER-DAEMON';
  const address = toExternal(sender);
  if (fullName === '') return address;
  const name = isAsciiText(fullName) ? undefined : encodeWords(fullName, settings.fullNameCharset);
  if (!settings.headerFromStandard) return `${address} (${name ?? fullName})`;
  // RFC 5322, 3.2.3: atoms and blanks need no quotes
  const isPlain = /^[\w !#$%&'*+\-/=?^`{|}~]+$/.test(fullName);
  return `${name ?? (isPlain ? fullName.trim().replaceAll(/ +/g, ' ') : `"${fullName.replaceAll(/["\\]/g, String.raw`\$&`)}"`)} <${address}>`;
}

export interface MissingFieldsInput {
  /** Names of the fields there are, lower case. */
  readonly present: ReadonlySet<string>;
  readonly envelope: Pick<Envelope, 'fullName' | 'arrivedAt'>;
  /** The envelope sender in standard form. */
  readonly sender: string;
  readonly queueId: string;
  readonly settings: CleanupSettings;
}

export interface MissingFields {
  readonly lines: readonly string[];
  /** The one that was made; '' when none was. */
  readonly messageId: string;
  /** Made for the Resent- block. */
  readonly isResent: boolean;
  /** The sender's full name is left out: its charset can't be named. full_name_encoding_charset */
  readonly isNameLost: boolean;
}

/** Fields that a message must have and lacks, in Postfix's order; Resent- forms when any Resent- field is there. */
export function missingFields({ present, envelope, sender, queueId, settings }: MissingFieldsInput): MissingFields {
  const isResent = [...present].some(isResentField);
  const prefix = isResent ? 'Resent-' : '';
  const has = (name: string): boolean => present.has(`${prefix}${name}`.toLowerCase());
  const lines: string[] = [];
  let messageId = '';
  if (!has('Message-Id')) {
    messageId = makeMessageId(envelope.arrivedAt, queueId, settings);
    lines.push(`${prefix}Message-Id: ${messageId}`);
  }
  if (!has('Date')) lines.push(`${prefix}Date: ${formatMailDate(envelope.arrivedAt)}`);
  const lacksFrom = !has('From');
  const isNameLost = lacksFrom && !isAsciiText(envelope.fullName) && !isCharset(settings.fullNameCharset);
  if (lacksFrom) lines.push(`${prefix}From: ${fromBody(sender, isNameLost ? '' : envelope.fullName, settings)}`);
  const hasRecipients = ['to', 'cc', 'resent-to', 'resent-cc'].some((name) => present.has(name));
  if (!hasRecipients && settings.undisclosedRecipients !== '') lines.push(settings.undisclosedRecipients);
  return { lines, messageId, isResent, isNameLost };
}
