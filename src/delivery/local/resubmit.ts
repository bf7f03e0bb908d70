/** Members that are not delivered here go out as new messages. local(8) */
import type { MaybePromise } from '#message';
import { conclude, concludeSent } from './conclude.ts';
import { isNew, type Job, type Place } from './job.ts';

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

/** Submits what was remembered. */
export async function submitForwards(job: Job): Promise<void> {
  for await (const result of job.forwards.submit()) {
    await conclude(
      job,
      job.recipient.address,
      result.kind === 'queued'
        ? { kind: 'sent', status: { code: '2.0.0', reason: `forwarded as ${result.queueId}` } }
        : { kind: 'deferred', status: { code: '4.3.0', reason: `unable to forward message: ${result.text}` } },
    );
  }
}
