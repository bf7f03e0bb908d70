/** Whether delivery of a message has been attempted before: what is told of the first attempt only goes by it. */
import type { QueuedMessage } from './queue-store.ts';
import type { RecipientList } from './recipient-list.ts';

/**
 * An attempt that came to its end left outcomes and put off the next one. An attempt that a crash cut short has put off
 * nothing; a message that was only put back for want of room has no outcomes. Throws StoreError.
 */
export function wasTried({
  dueAt,
  envelope,
  recipients,
}: Pick<QueuedMessage, 'dueAt' | 'envelope' | 'recipients'>): boolean {
  return dueAt > envelope.arrivedAt && (recipients.pendingCount < recipients.total || hasOutcome(recipients));
}

function hasOutcome(recipients: RecipientList): boolean {
  for (const part of recipients.withOutcomes())
    if (part.some(({ lastOutcome }) => lastOutcome !== undefined)) return true;
  return false;
}
