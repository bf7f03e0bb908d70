/** What is written into a mailbox: the fields on top, and the message with LF line ends. local(8), virtual(8) */
import { toExternal } from '#address';
import type { DeliveryRequest, RequestRecipient } from '#message';

export interface CopyOptions {
  readonly prependsDelivered: boolean;
  /** mbox: a From_ line, quoting of `From `, an empty line behind. */
  readonly isMbox: boolean;
  readonly now: number;
}

function fromLine(sender: string, now: number): string {
  const date = new Date(now);
  const time = date.toString().slice(0, 24).split(' ');
  const [day = '', month = '', dayOfMonth = '', year = '', clock = ''] = time;
  return `From ${sender === '' ? 'MAILER-DAEMON' : toExternal(sender)}  ${day} ${month} ${String(Number(dayOfMonth)).padStart(2, ' ')} ${clock} ${year}\n`;
}

/** Gathers the copy for one recipient. */
export async function mailboxCopy(
  request: DeliveryRequest,
  recipient: RequestRecipient,
  deliveredTo: string,
  options: CopyOptions,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request.content.chunks()) chunks.push(chunk);
  const whole = chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks);
  const { sender } = request.envelope;
  const top =
    `Return-Path: <${toExternal(sender)}>\n` +
    (recipient.original === '' ? '' : `X-Original-To: ${toExternal(recipient.original)}\n`) +
    (options.prependsDelivered ? `Delivered-To: ${toExternal(deliveredTo)}\n` : '');
  let text = whole.toString('latin1').replaceAll('\r\n', '\n');
  if (!text.endsWith('\n')) text += '\n';
  if (!options.isMbox) return Buffer.concat([Buffer.from(top), Buffer.from(text, 'latin1')]);
  const quoted = text.replaceAll(/^From /gm, '>From ');
  return Buffer.concat([Buffer.from(fromLine(sender, options.now) + top), Buffer.from(`${quoted}\n`, 'latin1')]);
}

/** The Delivered-To: fields of a message, lower-cased: it has been here before. */
export async function deliveredToFields(request: DeliveryRequest): Promise<ReadonlySet<string>> {
  let header = '';
  for await (const chunk of request.content.chunks()) {
    header += chunk.toString('latin1');
    if (header.length >= request.content.headerBytes) break;
  }
  const found = header.slice(0, request.content.headerBytes).matchAll(/^delivered-to:[ \t]*(.*?)\r?$/gim);
  return new Set([...found].map((match) => (match[1] ?? '').toLowerCase()));
}
