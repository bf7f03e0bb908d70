/** What mailboxes and commands get: the fields on top, and the message with LF line ends. local(8), virtual(8), pipe(8) */
import { toExternal } from '#address';
import type { DeliveryRequest, RequestRecipient } from '#message';

export interface CopyOptions {
  /** Envelope sender for Return-Path: and the From_ line. */
  readonly sender: string;
  readonly prependsDelivered: boolean;
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

const crLf = Buffer.from('\r\n');

/** The content with LF line ends, its last line ended. */
export async function contentWithLf(request: DeliveryRequest): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request.content.chunks()) chunks.push(chunk);
  const whole = chunks.length === 1 ? (chunks[0] ?? crLf) : Buffer.concat(chunks);
  const out = Buffer.allocUnsafe(whole.length + 1);
  let length = 0;
  let from = 0;
  for (let at = whole.indexOf(crLf); at >= 0; at = whole.indexOf(crLf, from)) {
    length += whole.copy(out, length, from, at);
    out[length] = 10;
    length += 1;
    from = at + crLf.length;
  }
  length += whole.copy(out, length, from);
  if (length > 0 && out[length - 1] !== 10) {
    out[length] = 10;
    length += 1;
  }
  return out.subarray(0, length);
}

/** `From ` at the start of a line, behind the first. */
const fromInText = Buffer.from('\nFrom ');

/** Text with `>` before lines that begin with `From `. */
export function quoteFromLines(text: Buffer): Buffer {
  const startsSo = text.subarray(0, fromInText.length - 1).equals(fromInText.subarray(1));
  if (!startsSo && text.indexOf(fromInText) < 0) return text;
  const quoted = text.toString('latin1').replaceAll(/^From /gm, '>From ');
  return Buffer.from(quoted, 'latin1');
}

/** Gathers the copy for one recipient. */
export async function mailboxCopy(
  request: DeliveryRequest,
  recipient: RequestRecipient,
  deliveredTo: string,
  { sender, prependsDelivered, form, now }: CopyOptions,
): Promise<Buffer> {
  const top =
    (form === 'plain' ? '' : fromLine(sender, now)) +
    `Return-Path: <${toExternal(sender)}>\n` +
    (recipient.original === '' ? '' : `X-Original-To: ${toExternal(recipient.original)}\n`) +
    (prependsDelivered ? `Delivered-To: ${toExternal(deliveredTo)}\n` : '');
  const text = await contentWithLf(request);
  if (form !== 'mbox') return Buffer.concat([Buffer.from(top), text]);
  return Buffer.concat([Buffer.from(top), quoteFromLines(text), Buffer.from('\n')]);
}

/** The Delivered-To: fields of a message, lower-cased: it has been here before. */
export async function deliveredToFields(request: DeliveryRequest): Promise<ReadonlySet<string>> {
  let header = '';
  for await (const chunk of request.content.chunks()) {
    header += chunk.toString('latin1', 0, Math.max(0, request.content.headerBytes - header.length));
    if (header.length >= request.content.headerBytes) break;
  }
  const found = header.matchAll(/^delivered-to:[ \t]*(.*?)\r?$/gim);
  return new Set([...found].map((match) => (match[1] ?? '').toLowerCase()));
}
