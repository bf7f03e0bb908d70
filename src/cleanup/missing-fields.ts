/** Header fields that a message must have, made where they lack. cleanup(8), inventory i.2 */
import { toExternal } from '#address';
import { type Envelope, formatMailDate } from '#message';
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

// RFC 2047, 2: at most 75 characters an encoded-word
const encodedWordLength = 75;

/** A phrase of encoded-words. RFC 2047, 5 (3) */
function encodeWords(text: string, charset: string): string {
  const words: string[] = [];
  const room = encodedWordLength - `=?${charset}?Q??=`.length;
  let word = '';
  for (const character of text) {
    const coded = /^[A-Za-z0-9!*+\-/]$/.test(character)
      ? character
      : character === ' '
        ? '_'
        : [...Buffer.from(character)].map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
    if (word.length + coded.length > room) {
      words.push(word);
      word = '';
    }
    word += coded;
  }
  return [...words, word].map((each) => `=?${charset}?Q?${each}?=`).join(' ');
}

type FromSettings = Pick<CleanupSettings, 'headerFromStandard' | 'fullNameCharset'>;

/** The body of a From: for a sender, with its full name if there is one. postconf(5) header_from_format */
function fromBody(sender: string, fullName: string, settings: FromSettings): string {
  if (sender === '') return 'MAILER-DAEMON';
  const address = toExternal(sender);
  if (fullName === '') return address;
  // oxlint-disable-next-line no-control-regex -- what is not ASCII
  const name = /[^\x00-\x7f]/.test(fullName) ? encodeWords(fullName, settings.fullNameCharset) : undefined;
  if (!settings.headerFromStandard) return `${address} (${name ?? fullName})`;
  // RFC 5322, 3.2.3: atoms and blanks need no quotes
  const isPlain = /^[\w !#$%&'*+\-/=?^`{|}~]+$/.test(fullName);
  return `${name ?? (isPlain ? fullName.trim() : `"${fullName.replaceAll(/["\\]/g, String.raw`\$&`)}"`)} <${address}>`;
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
  if (!has('From')) lines.push(`${prefix}From: ${fromBody(sender, envelope.fullName, settings)}`);
  const hasRecipients = ['to', 'cc', 'resent-to', 'resent-cc'].some((name) => present.has(name));
  if (!hasRecipients && settings.undisclosedRecipients !== '') lines.push(settings.undisclosedRecipients);
  return { lines, messageId, isResent };
}
