/**
 * The text of a notice: a multipart/report of notification, delivery report and the message, or its headers.
 * RFC 3462 · RFC 3464 · RFC 6533
 */
import { setImmediate } from 'node:timers/promises';
import { isAsciiText, toExternal } from '#address';
import {
  bytesOf,
  type DsnAction,
  type Envelope,
  formatMailDate,
  type MessageContent,
  type Outcome,
  type Recipient,
} from '#message';
import type { BounceSettings } from './settings.ts';
import type { Template } from './templates.ts';
import { wrapText } from './wrap.ts';

export type NoticeKind = 'failure' | 'delay' | 'success' | 'verify';

/** What a notice tells of the message. */
export interface ReturnedMessage {
  readonly queueId: string;
  readonly envelope: Envelope;
  readonly content: MessageContent;
  readonly sizeBytes: number;
}

export interface NotifiedRecipient {
  readonly recipient: Recipient;
  readonly outcome: Outcome;
}

/** A few at a time, so that many need not be in memory at once; each time anew. Of many, others have their turn between. */
export type NotifiedParts = Iterable<readonly NotifiedRecipient[]> | AsyncIterable<readonly NotifiedRecipient[]>;

/** One notice to be written. */
export interface Notice {
  readonly kind: NoticeKind;
  readonly message: ReturnedMessage;
  readonly recipients: NotifiedParts;
  readonly template: Template;
  /** To:, internal form. */
  readonly to: string;
  readonly isPostmasterCopy: boolean;
  readonly headersOnly: boolean;
  readonly at: number;
}

const EOL = '\r\n';

/** Text of many recipients goes out in pieces of about this length, others have their turn between. */
const pieceLength = 64 * 1024;

/** Header section and body, chunk by chunk, CRLF line ends. */
export async function* noticeChunks(notice: Notice, settings: BounceSettings): AsyncGenerator<Buffer> {
  const boundary = `${notice.message.queueId}.${Math.floor(notice.at / 1000)}/${settings.myhostname}`;
  let text = '';
  for await (const lines of reportLines(notice, boundary, settings)) {
    text += lines.join(EOL) + EOL;
    if (text.length < pieceLength) continue;
    yield bytesOf(text);
    text = '';
    await setImmediate();
  }
  yield bytesOf(text);
  yield* notice.headersOnly ? headerChunks(notice.message) : notice.message.content.chunks();
  yield Buffer.from(`${EOL}--${boundary}--${EOL}`);
}

/** All before the message that is returned. */
async function* reportLines(
  notice: Notice,
  boundary: string,
  settings: BounceSettings,
): AsyncGenerator<readonly string[]> {
  const { recipients, kind } = notice;
  yield headerSection(notice, boundary, settings);
  yield ['This is a MIME-encapsulated message.', ''];
  yield notificationHead(notice, boundary, settings);
  const shown = settings.allowsUtf8 ? (text: string): string => text : asciiOf;
  for await (const part of recipients) yield part.flatMap((entry) => ['', wrapText(shown(recipientText(entry, kind)))]);
  yield [''];
  yield deliveryReportHead(notice, boundary, settings);
  for await (const part of recipients) {
    yield part.flatMap((entry) => ['', ...recipientFields(entry, notice, settings).map(shown)]);
  }
  yield [''];
  yield messagePartHeader(notice, boundary, settings);
}

/** Where addresses may be UTF-8, so may all of a notice; elsewhere it is what the message was declared to be, or nothing. */
function encodingOf({ message }: Notice, settings: BounceSettings): Envelope['encoding'] {
  return settings.allowsUtf8 ? '8bit' : message.envelope.encoding;
}

/** Content-Transfer-Encoding of a part that may hold 8-bit text. */
function partEncoding(notice: Notice, settings: BounceSettings): readonly string[] {
  return encodingOf(notice, settings) === '8bit' ? ['Content-Transfer-Encoding: 8bit'] : [];
}

function headerSection(notice: Notice, boundary: string, settings: BounceSettings): readonly string[] {
  const { template, isPostmasterCopy, message } = notice;
  const { messageId, requireTls, tlsNotRequired } = message.envelope;
  const isRequired = settings.heedsRequireTls && requireTls;
  const threads = settings.threadsNotices && messageId !== '';
  const encoding = encodingOf(notice, settings);
  return [
    `Date: ${formatMailDate(notice.at)}`,
    `From: ${template.from}`,
    `Subject: ${isPostmasterCopy ? template.postmasterSubject : template.subject}`,
    `To: ${inLine(toExternal(notice.to))}`,
    ...(threads ? [`References: ${inLine(messageId)}`, `In-Reply-To: ${inLine(messageId)}`] : []),
    `Auto-Submitted: ${isPostmasterCopy ? 'auto-generated' : 'auto-replied'}`,
    ...(settings.copiesTlsRequired && tlsNotRequired === true && !isRequired ? ['TLS-Required: no'] : []),
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status;',
    `\tboundary="${boundary}"`,
    ...(encoding === '' ? [] : [`Content-Transfer-Encoding: ${encoding}`]),
    '',
  ];
}

function notificationHead(notice: Notice, boundary: string, settings: BounceSettings): readonly string[] {
  const { template, isPostmasterCopy } = notice;
  const isPlain = template.charset.toLowerCase() === 'us-ascii';
  const isEightBit = encodingOf(notice, settings) === '8bit';
  return [
    `--${boundary}`,
    'Content-Description: Notification',
    `Content-Type: text/plain; charset=${isPlain && isEightBit ? 'utf-8' : template.charset}`,
    ...partEncoding(notice, settings),
    '',
    // the postmaster knows
    ...(isPostmasterCopy ? [] : template.lines),
  ];
}

/** A report of what was done, asked for or not. */
export function isTrace(kind: NoticeKind): boolean {
  return kind === 'success' || kind === 'verify';
}

/** Reports of what was done say who did it. */
function reasonOf({ status, relay }: Outcome, kind: NoticeKind): string {
  return isTrace(kind) && relay !== undefined ? `delivery via ${relay}: ${status.reason}` : status.reason;
}

function recipientText({ recipient: { address, original }, outcome }: NotifiedRecipient, kind: NoticeKind): string {
  const isExpanded = original !== '' && original.toLowerCase() !== address.toLowerCase();
  const from = isExpanded ? ` (expanded from <${toExternal(original)}>)` : '';
  return `<${toExternal(address)}>${from}: ${reasonOf(outcome, kind)}`;
}

function deliveryReportHead(notice: Notice, boundary: string, settings: BounceSettings): readonly string[] {
  const { message } = notice;
  const { envid, sender, smtputf8, arrivedAt } = message.envelope;
  const { fieldName } = settings;
  return [
    `--${boundary}`,
    'Content-Description: Delivery report',
    `Content-Type: message/${smtputf8 ? 'global-' : ''}delivery-status`,
    // addresses may be 8-bit
    ...(smtputf8 ? partEncoding(notice, settings) : []),
    '',
    `Reporting-MTA: dns; ${settings.myhostname}`,
    ...(envid === '' ? [] : [`Original-Envelope-Id: ${envid}`]),
    `X-${fieldName}-Queue-ID: ${message.queueId}`,
    `X-${fieldName}-Sender: ${addressType(sender)}; ${inLine(toExternal(sender || settings.mailerDaemon))}`,
    `Arrival-Date: ${formatMailDate(arrivedAt)}`,
  ];
}

function recipientFields(
  { recipient, outcome }: NotifiedRecipient,
  { kind, message }: Notice,
  settings: BounceSettings,
): readonly string[] {
  const { address, original, dsnOriginal } = recipient;
  const { status } = outcome;
  const diagnostic = status.diagnostic ?? { type: `X-${settings.fieldName}`, text: reasonOf(outcome, kind) };
  const isAnother = original !== '' && original.toLowerCase() !== address.toLowerCase();
  // with a space: bcc copies have no original recipient of DSNs
  const known = dsnOriginal || (isAnother ? `${addressType(original)}; ${toExternal(original)}` : '');
  return [
    `Final-Recipient: ${settings.allowsUtf8 ? addressType(address) : 'rfc822'}; ${inLine(toExternal(address))}`,
    ...(known === '' ? [] : [`Original-Recipient: ${inLine(known)}`]),
    `Action: ${actionOf(kind, outcome)}`,
    `Status: ${status.code}`,
    ...(status.remoteMta === undefined ? [] : [`Remote-MTA: ${status.remoteMta}`]),
    wrapText(`Diagnostic-Code: ${diagnostic.type}; ${diagnostic.text.trimStart()}`),
    ...(kind === 'delay'
      ? [`Will-Retry-Until: ${formatMailDate(message.envelope.arrivedAt + settings.maximalLifetimeMs)}`]
      : []),
  ];
}

/** What ORCPT=, a quoted local-part or a folded Message-Id holds must not begin a field, or a part, of its own. */
function inLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- line ends above all
  return text.replaceAll(/[\x00-\x1f\x7f]/g, '?');
}

/** A mark for each byte beyond ASCII, where there is no SMTPUTF8. */
function asciiOf(text: string): string {
  return bytesOf(text)
    .map((byte) => (byte < 0x80 ? byte : 0x3f))
    .toString();
}

function addressType(address: string): string {
  return isAsciiText(address) ? 'rfc822' : 'utf-8';
}

function actionOf(kind: NoticeKind, { kind: outcome, action }: Outcome): DsnAction {
  if (kind === 'failure') return 'failed';
  if (kind === 'delay') return 'delayed';
  switch (outcome) {
    case 'sent':
      return kind === 'verify' ? 'deliverable' : (action ?? 'relayed');
    case 'deferred':
      return 'delayed';
    case 'bounced':
      return kind === 'verify' ? 'undeliverable' : 'failed';
    case 'deliverable':
    case 'undeliverable':
      return outcome;
  }
}

function messagePartHeader(notice: Notice, boundary: string, settings: BounceSettings): readonly string[] {
  const { kind, message, headersOnly } = notice;
  const { smtputf8, sender } = message.envelope;
  const undelivered = kind === 'failure' || kind === 'delay' ? 'Undelivered ' : '';
  const type = headersOnly
    ? smtputf8
      ? 'message/global-headers'
      : 'text/rfc822-headers'
    : smtputf8
      ? 'message/global'
      : 'message/rfc822';
  return [
    `--${boundary}`,
    `Content-Description: ${undelivered}Message${headersOnly ? ' Headers' : ''}`,
    `Content-Type: ${type}`,
    ...partEncoding(notice, settings),
    '',
    `Return-Path: <${inLine(toExternal(sender || settings.mailerDaemon))}>`,
  ];
}

async function* headerChunks({ content }: ReturnedMessage): AsyncGenerator<Buffer> {
  let left = content.headerBytes;
  for await (const chunk of content.chunks()) {
    if (left <= 0) return;
    yield chunk.subarray(0, left);
    left -= chunk.length;
  }
}
