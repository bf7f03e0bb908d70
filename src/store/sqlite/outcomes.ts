/** What is known of each recipient of a stored message. */
import type { Outcome, Recipient } from '#message';
import type { QueuedMessage, StoredRecipient } from '../queue-store.ts';

/** Recipients with the outcomes they have so far. */
export function withOutcomes(
  recipients: readonly Recipient[],
  outcomes: readonly Outcome[],
): readonly StoredRecipient[] {
  const byIndex = new Map(outcomes.map((outcome) => [outcome.index, outcome]));
  return recipients.map((recipient, index) => {
    const { address, original, dsnOriginal, notify } = recipient;
    const lastOutcome = byIndex.get(index);
    const isDone = lastOutcome !== undefined && lastOutcome.kind !== 'deferred';
    const plain = { address, original, dsnOriginal, notify, index, state: isDone ? 'done' : 'pending' } as const;
    return lastOutcome === undefined ? plain : { ...plain, lastOutcome };
  });
}

/** The outcomes of a message, newer ones in place of older ones. */
export function mergeOutcomes(message: QueuedMessage, outcomes: readonly Outcome[]): readonly Outcome[] {
  const merged = new Map<number, Outcome>();
  for (const { index, lastOutcome } of message.recipients)
    if (lastOutcome !== undefined) merged.set(index, lastOutcome);
  for (const outcome of outcomes) merged.set(outcome.index, outcome);
  return [...merged.values()];
}
