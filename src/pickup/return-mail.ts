/** Local mail that cleanup refuses goes back to its sender: nobody waits for a reply. cleanup(8), CLEANUP_FLAG_BOUNCE */
import type { Bouncer, NotifyResult } from '#bounce';
import type { EventChannel } from '#events';
import {
  markedBytes,
  type MessageContent,
  type Recipient,
  type SubmissionOptions,
  type SubmissionResult,
} from '#message';
import type { Submitted } from './submit.ts';

type Refused = SubmissionResult & { readonly kind: 'refused' };

export interface RefusedMail {
  readonly queueId: string;
  readonly envelope: SubmissionOptions['envelope'];
  readonly recipients: readonly Recipient[];
  /** The header section as cleanup made it, if it came so far. */
  readonly header: Buffer | undefined;
  /** '' where cleanup did not come so far. */
  readonly messageId: string;
  /** As it was submitted, CRLF line ends. */
  readonly content: AsyncIterable<Buffer> | Iterable<Buffer>;
  /** Status (RFC 3463) and reason of the refusal. */
  readonly code: string;
  readonly reason: string;
  readonly now: number;
}

const blank = Buffer.from('\r\n\r\n');
/** A header section that is longer is returned up to here. */
const maxHeaderBytes = 1024 * 1024;

interface ReadContent {
  readonly content: MessageContent;
}

/** The content in memory: what is refused is bounded by the limits that refuse it, or returned as headers. */
async function readContent({ content, header }: Pick<RefusedMail, 'content' | 'header'>): Promise<ReadContent> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of content) {
    sizeBytes += chunk.length;
    if (sizeBytes - chunk.length < maxHeaderBytes) chunks.push(chunk);
  }
  const kept = Buffer.concat(chunks);
  const end = kept.indexOf(blank);
  const headerBytes = end < 0 ? kept.length : end + 2;
  if (header === undefined) return { content: { sizeBytes, headerBytes, chunks: () => [kept] } };
  const body = kept.subarray(headerBytes);
  return { content: { sizeBytes, headerBytes: header.length, chunks: () => [header, body] } };
}

/**
 * What is known of mail that cleanup refused, but for its content.
 *
 * @param named the recipients as they were submitted, for where cleanup does not have them all
 */
export function refusedMail(
  { queueId, envelope }: Pick<Submitted, 'queueId' | 'envelope'>,
  { dsn: code, text: reason, isRuleText, returned }: Refused,
  named: () => readonly Recipient[],
  now: number,
): Omit<RefusedMail, 'content'> {
  const { sender = envelope.sender, recipients = named(), header, messageId = '' } = returned ?? {};
  // what a rule rejects is not spread further
  const known = { ...envelope, sender, ...(isRuleText && { ret: 'hdrs' as const }) };
  return { queueId, envelope: known, header, messageId, recipients, code, reason: markedBytes(reason, '?'), now };
}

/** Logs the failure of each recipient as cleanup, and has the sender told. Not ok: try again later. */
export async function returnToSender(
  mail: RefusedMail,
  bouncer: Bouncer,
  cleanupEvents: EventChannel,
): Promise<NotifyResult> {
  const { queueId, envelope, messageId, code, reason, now } = mail;
  const { content } = await readContent(mail);
  const recipients = mail.recipients.map((recipient, index) => ({ ...recipient, index, state: 'pending' as const }));
  const message = { queueId, envelope: { ...envelope, messageId }, content, sizeBytes: content.sizeBytes };
  for (const { address, original } of recipients) {
    cleanupEvents.emit({
      kind: 'delivery',
      queueId,
      recipient: address,
      original,
      relay: 'none',
      times: [envelope.arrivedAt, now, now, now, now],
      code,
      outcome: 'bounced',
      text: reason,
    });
  }
  const outcomeOf = (index: number) => ({ index, kind: 'bounced' as const, status: { code, reason } });
  return bouncer.notify('failure', message, [
    recipients.map((recipient) => ({ recipient, outcome: outcomeOf(recipient.index) })),
  ]);
}
