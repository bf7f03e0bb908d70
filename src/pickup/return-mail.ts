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
  /** As it was submitted, CRLF line ends; each time from its start. */
  readonly content: MessageContent['chunks'];
  /** Status (RFC 3463) and reason of the refusal. */
  readonly code: string;
  readonly reason: string;
  readonly now: number;
}

const blank = Buffer.from('\r\n\r\n');
/** A header section that is longer is returned up to here. */
const maxHeaderBytes = 1024 * 1024;

/** The content as it goes back: in memory it never is as a whole, only its beginning, to find where the body begins. */
async function returnedContent({ content, header }: Pick<RefusedMail, 'content' | 'header'>): Promise<MessageContent> {
  const start: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of content()) {
    if (sizeBytes < maxHeaderBytes) start.push(chunk);
    sizeBytes += chunk.length;
  }
  const first = Buffer.concat(start);
  const end = first.indexOf(blank);
  const headerBytes = end < 0 ? first.length : end + 2;
  if (header === undefined) return { sizeBytes, headerBytes, chunks: content };
  return { sizeBytes, headerBytes: header.length, chunks: () => withHeader(header, content(), headerBytes) };
}

/** Content with another header section in place of its own, so many bytes. */
async function* withHeader(
  header: Buffer,
  content: ReturnType<MessageContent['chunks']>,
  ownBytes: number,
): AsyncGenerator<Buffer> {
  yield header;
  let left = ownBytes;
  for await (const chunk of content) {
    if (chunk.length > left) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
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
  const content = await returnedContent(mail);
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
