/** Members that are not delivered here go out as new messages. local(8) */
import type { MaybePromise } from '#message';
import { conclude, concludeFailed, concludeSent } from './conclude.ts';
import { type Ending, isNew, type Job, type Place } from './job.ts';

/** Remembers an address for the new message. */
export function resubmit(job: Job, place: Place, address: string): MaybePromise<void> {
  if (!isNew(job, `indirect ${address.toLowerCase()}`)) return undefined;
  if (job.request.probe) return concludeSent(job, address, `forwards to ${address}`);
  return job.forwards.add({
    address,
    recipient: job.recipient,
    sender: place.sender,
    deliveredTo: place.deliveredTo,
  });
}

/** Submits what was remembered. What cleanup refuses for good, as too large with all its recipients, would be refused again. */
export async function submitForwards(job: Job): Promise<void> {
  const { address } = job.recipient;
  for await (const result of job.forwards.submit()) {
    if (result.kind === 'queued') await conclude(job, address, sentAs(result.queueId));
    else if (result.dsn.startsWith('5')) await concludeFailed(job, address, result.dsn, result.text);
    else await concludeFailed(job, address, '4.3.0', `unable to forward message: ${result.text}`);
  }
}

const sentAs = (queueId: string): Ending => ({
  kind: 'sent',
  status: { code: '2.0.0', reason: `forwarded as ${queueId}` },
});
