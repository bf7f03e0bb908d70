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

const CR = 0x0d;
const LF = 0x0a;

/** The content with LF line ends, its last line ended. */
export async function contentWithLf(request: DeliveryRequest): Promise<Buffer> {
  const out: Buffer[] = [];
  let held: Buffer | undefined;
  for await (const chunk of request.content.chunks()) {
    let text = held === undefined ? chunk : Buffer.concat([held, chunk]);
    held = text.at(-1) === CR ? Buffer.of(CR) : undefined;
    if (held !== undefined) text = text.subarray(0, -1);
    // as one string: twice as fast as looking for each line end in the bytes
    out.push(Buffer.from(text.toString('latin1').replaceAll('\r\n', '\n'), 'latin1'));
  }
  if (held !== undefined) out.push(held);
  const last = out.at(-1);
  if (last !== undefined && last.length > 0 && last.at(-1) !== LF) out.push(Buffer.of(LF));
  return out.length === 1 && last !== undefined ? last : Buffer.concat(out);
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
