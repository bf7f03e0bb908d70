/** What is known of each recipient of a message of few. */
import type { Outcome, Recipient } from '#message';
import type { RecipientPart } from '../recipient-list.ts';

/** Recipients with the outcomes they have so far. */
export function withOutcomes(recipients: readonly Recipient[], outcomes: readonly Outcome[]): RecipientPart {
  const byIndex = new Map(outcomes.map((outcome) => [outcome.index, outcome]));
  return recipients.map((recipient, index) => {
    const { address, original, dsnOriginal, notify } = recipient;
    const lastOutcome = byIndex.get(index);
    const isDone = lastOutcome !== undefined && lastOutcome.kind !== 'deferred';
    const plain = { address, original, dsnOriginal, notify, index, state: isDone ? 'done' : 'pending' } as const;
    return lastOutcome === undefined ? plain : { ...plain, lastOutcome };
  });
}

/** The outcomes of a message, newer ones in place of older ones. `done`: recipients of which nobody asks any more. */
export function mergeOutcomes(
  recipients: RecipientPart,
  outcomes: readonly Outcome[],
  done: readonly number[],
): readonly Outcome[] {
  const merged = new Map<number, Outcome>();
  for (const { index, lastOutcome } of recipients) if (lastOutcome !== undefined) merged.set(index, lastOutcome);
  for (const outcome of outcomes) merged.set(outcome.index, outcome);
  for (const index of done) merged.set(index, { index, kind: 'sent', status: { code: '2.0.0', reason: '' } });
  return [...merged.values()];
}
