/** What mailboxes and commands get: the fields on top of the message, and its form. local(8), virtual(8) */
import { toExternal } from '#address';
import { type DeliveryRequest, type RequestRecipient, textOf } from '#message';
import type { MailboxCopy } from './shaped-copy.ts';

export interface CopyOptions {
  /** Envelope sender for Return-Path: and the From_ line. */
  readonly sender: string;
  readonly prependsDelivered: boolean;
  /** X-Original-To: is shown. enable_original_recipient */
  readonly showsOriginal: boolean;
  /** `mbox`: a From_ line, quoting of `From `, an empty line behind; `command`: a From_ line only. */
  readonly form: 'plain' | 'mbox' | 'command';
  readonly now: number;
}

/** `From SENDER  Thu Jan  1 00:00:00 2026` with its line end, in local time. */
export function fromLine(sender: string, now: number): string {
  const [day = '', month = '', dayOfMonth = '', year = '', clock = ''] = new Date(now).toString().split(' ');
  const from = sender === '' ? 'MAILER-DAEMON' : toExternal(sender);
  return `From ${from}  ${day} ${month} ${String(Number(dayOfMonth)).padStart(2, ' ')} ${clock} ${year}\n`;
}

/** The copy for one recipient. */
export function mailboxCopy(
  request: DeliveryRequest,
  recipient: RequestRecipient,
  deliveredTo: string,
  { sender, prependsDelivered, showsOriginal, form, now }: CopyOptions,
): MailboxCopy {
  const isMbox = form === 'mbox';
  const top =
    (form === 'plain' ? '' : fromLine(sender, now)) +
    `Return-Path: <${toExternal(sender)}>\n` +
    (showsOriginal && recipient.original !== '' ? `X-Original-To: ${toExternal(recipient.original)}\n` : '') +
    (prependsDelivered ? `Delivered-To: ${toExternal(deliveredTo)}\n` : '');
  const shape = { top, bottom: isMbox ? '\n' : '', quotesFrom: isMbox, stuffsDots: false, lineEnd: '\n' };
  return { shape, content: request.content.chunks() };
}

/** The Delivered-To: fields of a message, lower-cased: it has been here before. */
export async function deliveredToFields(request: DeliveryRequest): Promise<ReadonlySet<string>> {
  const { headerBytes } = request.content;
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const chunk of request.content.chunks()) {
    pieces.push(chunk.subarray(0, headerBytes - length));
    length += chunk.length;
    if (length >= headerBytes) break;
  }
  const found = textOf(Buffer.concat(pieces)).matchAll(/(?:^|\n)delivered-to:[ \t]*([^\n]*?)\r?(?=\n|$)/gi);
  return new Set([...found].map((match) => (match[1] ?? '').toLowerCase()));
}
