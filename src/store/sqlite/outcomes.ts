/** What is known of each recipient of a message of few. */
import type { Outcome, Recipient } from '#message';
import type { RecipientPart } from '../recipient-list.ts';

/** Recipients with the outcomes they have so far. */
export function withOutcomes(recipients: readonly Recipient[], outcomes: readonly Outcome[]): RecipientPart {
  const byIndex = new Map(
    outcomes.map((outcome, outcomeRank) => [outcome.index, { lastOutcome: outcome, outcomeRank }]),
  );
  return recipients.map((recipient, index) => {
    const { address, original, dsnOriginal, notify } = recipient;
    const known = byIndex.get(index);
    const isDone = known !== undefined && known.lastOutcome.kind !== 'deferred';
    const plain = { address, original, dsnOriginal, notify, index, state: isDone ? 'done' : 'pending' } as const;
    return known === undefined ? plain : { ...plain, ...known };
  });
}

/** The outcomes of a message, newer ones after older ones, which they replace. `done`: recipients of which nobody asks any more. */
export function mergeOutcomes(
  recipients: RecipientPart,
  outcomes: readonly Outcome[],
  done: readonly number[],
): readonly Outcome[] {
  const merged = new Map<number, Outcome>();
  for (const { index, lastOutcome } of recipients) if (lastOutcome !== undefined) merged.set(index, lastOutcome);
  for (const outcome of outcomes) {
    merged.delete(outcome.index);
    merged.set(outcome.index, outcome);
  }
  for (const index of done) merged.set(index, { index, kind: 'sent', status: { code: '2.0.0', reason: '' } });
  return [...merged.values()];
}
