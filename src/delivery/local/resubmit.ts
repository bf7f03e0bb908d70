/** Members that are not delivered here go out as a new message, one for each sender. local(8) */
import { toExternal } from '#address';
import { bytesOf, formatMailDate, type MaybePromise } from '#message';
import { conclude, concludeSent } from './conclude.ts';
import { type Forward, isNew, type Job, type Place } from './job.ts';

/** Remembers an address for the new message. */
export function resubmit(job: Job, place: Place, address: string): MaybePromise<void> {
  if (!isNew(job, `indirect ${address.toLowerCase()}`)) return undefined;
  if (job.request.probe) return concludeSent(job, address, `forwards to ${address}`);
  job.forwards.push({ address, recipient: job.recipient, sender: place.sender, deliveredTo: place.deliveredTo });
  return undefined;
}

function groups(forwards: readonly Forward[]): readonly (readonly Forward[])[] {
  const byKey = new Map<string, Forward[]>();
  for (const forward of forwards) {
    const key = JSON.stringify([forward.sender, forward.deliveredTo]);
    const group = byKey.get(key);
    if (group === undefined) byKey.set(key, [forward]);
    else group.push(forward);
  }
  return [...byKey.values()];
}

/** Submits what was remembered. */
export async function submitForwards(job: Job): Promise<void> {
  for (const group of groups(job.forwards)) await submitGroup(job, group);
}

async function submitGroup(job: Job, group: readonly Forward[]): Promise<void> {
  const { request, recipient, parts } = job;
  const { submission, settings, now } = parts;
  const [first] = group;
  if (first === undefined) return;
  const { messageId: _made, expanded: _told, recipientCount: _counted, ...envelope } = request.envelope;
  const delivered = settings.deliveredIn.has('forward')
    ? `Delivered-To: ${toExternal(first.deliveredTo).toLowerCase()}\r\n`
    : '';
  const opened = submission.open({
    envelope: {
      ...envelope,
      sender: first.sender,
      arrivedAt: now(),
      origin: 'forward',
      // its report says where the mail went
      trace: '',
    },
    source: 'forward',
    overrides: [],
    prepend: () =>
      bytesOf(
        `Received: by ${settings.myhostname} (${settings.mailName})\r\n\tid ${opened.queueId}; ${formatMailDate(now())}\r\n${delivered}`,
      ),
  });
  try {
    for (const { address, recipient: inherited } of group) {
      const { original, dsnOriginal, notify } = inherited;
      await opened.addRecipient({ address, original, dsnOriginal, notify });
    }
    for await (const chunk of request.content.chunks()) await opened.write(chunk);
  } catch (error) {
    opened.abort();
    throw error;
  }
  const result = await opened.end();
  await conclude(
    job,
    recipient.address,
    result.kind === 'queued'
      ? { kind: 'sent', status: { code: '2.0.0', reason: `forwarded as ${result.queueId}` } }
      : { kind: 'deferred', status: { code: '4.3.0', reason: `unable to forward message: ${result.text}` } },
  );
}
