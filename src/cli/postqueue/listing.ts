/** How postqueue(1) shows the queue: the table of mailq, or JSON lines. */
import { toExternal } from '#address';
import { asciiTime } from '../ascii-time.ts';
import type { QueueEntry } from '../control-client.ts';
import type { MaildropEntry } from '../maildrop-listing.ts';

/** A message as it is shown. */
export interface ListedEntry {
  readonly queue: QueueEntry['queue'];
  readonly queueId: string;
  readonly sender: string;
  /** ms since the epoch. */
  readonly arrivedAt: number;
  readonly sizeBytes: number;
  readonly forcedExpire: boolean;
  readonly recipients: readonly ListedRecipient[];
}

interface ListedRecipient {
  readonly address: string;
  readonly original: string;
  /** '' before the first attempt. */
  readonly reason: string;
  /** It waits no more: the notice of it has not been sent yet. */
  readonly isBounced?: boolean;
}

/** Of a recipient that waits for those it was expanded to. */
const reasonUnavailable = 'reason unavailable';

/** Who waits and why, and who is to be told of; where reasons are known, those without come last. */
function listedOf(message: QueueEntry): readonly ListedRecipient[] {
  const bounced = message.recipients.flatMap(({ address, original, state, lastOutcome }) =>
    state === 'done' && lastOutcome?.kind === 'bounced'
      ? [{ address, original, reason: lastOutcome.status.reason.trimEnd(), isBounced: true }]
      : [],
  );
  const waiting = waitingOf(message);
  const told = [...waiting.filter(({ reason }) => reason !== ''), ...bounced];
  const untold = waiting.filter(({ reason }) => reason === '');
  if (told.length === 0) return untold;
  return [...told, ...untold.map((recipient) => ({ ...recipient, reason: reasonUnavailable }))];
}

/** Of an expansion first the members that wait. */
function waitingOf(message: QueueEntry): readonly ListedRecipient[] {
  const pending = message.recipients.filter(({ state }) => state === 'pending');
  return pending.flatMap(({ address, original, lastOutcome }) => {
    if (lastOutcome === undefined) return [{ address, original, reason: '' }];
    const { members, status } = lastOutcome;
    if (members === undefined) return [{ address, original, reason: status.reason.trimEnd() }];
    const waiting = members
      .filter(({ kind }) => kind === 'deferred')
      .map((member) => ({ address: member.address, original, reason: member.status.reason.trimEnd() }));
    const isAmong = waiting.some((member) => member.address === address);
    return isAmong ? waiting : [...waiting, { address, original, reason: reasonUnavailable }];
  });
}

export function listedMessage(message: QueueEntry): ListedEntry {
  const { queue, queueId, sizeBytes, forcedExpire, envelope } = message;
  const { sender, arrivedAt } = envelope;
  return { queue, queueId, sender, arrivedAt, sizeBytes, forcedExpire, recipients: listedOf(message) };
}

/** A file of the maildrop directory: nobody has looked at its addresses yet. */
export function listedFile(file: MaildropEntry): ListedEntry {
  const recipients = file.recipients.map((address) => ({ address, original: '', reason: '' }));
  return { ...file, queue: 'maildrop', forcedExpire: false, recipients };
}

const senderOf = ({ sender }: ListedEntry): string => (sender === '' ? 'MAILER-DAEMON' : toExternal(sender));

function jsonRecipient({ address, original, reason, isBounced = false }: ListedRecipient): string {
  const member = isBounced ? 'bounce_reason' : 'delay_reason';
  const members = [
    ...(original === '' ? [] : [`"orig_address": ${JSON.stringify(original)}`]),
    `"address": ${JSON.stringify(toExternal(address))}`,
    ...(reason === '' || reason === reasonUnavailable ? [] : [`"${member}": ${JSON.stringify(reason)}`]),
  ];
  return `{${members.join(', ')}}`;
}

/** One line of JSON. */
export function jsonLine(entry: ListedEntry): string {
  const { queue, queueId, arrivedAt, sizeBytes, forcedExpire, recipients } = entry;
  const members = [
    `"queue_name": "${queue}"`,
    `"queue_id": ${JSON.stringify(queueId)}`,
    `"arrival_time": ${Math.floor(arrivedAt / 1000)}`,
    `"message_size": ${sizeBytes}`,
    `"forced_expire": ${String(forcedExpire)}`,
    `"sender": ${JSON.stringify(senderOf(entry))}`,
    `"recipients": [${recipients.map(jsonRecipient).join(', ')}]`,
  ];
  return `{${members.join(', ')}}\n`;
}

const marks: Readonly<Record<string, string>> = { active: '*', hold: '!' };

/** Without the year. */
const arrival = (at: number): string => asciiTime(at).slice(0, 19);

/** The listing that mailq shows, in pieces. */
export async function* table(entries: AsyncIterable<ListedEntry>, isLong: boolean): AsyncGenerator<string, void> {
  let count = 0;
  let bytes = 0;
  for await (const entry of entries) {
    if (count === 0) yield isLong ? longHeading : heading;
    count += 1;
    bytes += entry.sizeBytes;
    yield rows(entry, isLong);
  }
  yield count === 0
    ? 'Mail queue is empty\n'
    : `-- ${Math.floor(bytes / 1024)} Kbytes in ${count} Request${count === 1 ? '' : 's'}.\n`;
}

const heading = '-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n';
const longHeading = '----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------\n';

function rows(entry: ListedEntry, isLong: boolean): string {
  const { queue, queueId, sizeBytes, arrivedAt, forcedExpire, recipients } = entry;
  const idWidth = isLong ? 17 : 11;
  const sizeWidth = isLong ? 8 : 7;
  const timeWidth = isLong ? 19 : 20;
  const id = `${queueId}${marks[queue] ?? ''}${forcedExpire ? '#' : ''}`;
  let out = `${id.padEnd(idWidth)} ${String(sizeBytes).padStart(sizeWidth)} ${arrival(arrivedAt).padEnd(timeWidth)} ${senderOf(entry)}\n`;
  let shown = '';
  for (const { address, reason } of recipients) {
    if (reason !== '' && reason !== shown) {
      shown = reason;
      out += `${' '.repeat(Math.max(0, 76 - reason.length))}(${reason})\n`;
    }
    out += `${' '.repeat(idWidth + sizeWidth + timeWidth + 2)} ${toExternal(address)}\n`;
  }
  return `${out}\n`;
}
