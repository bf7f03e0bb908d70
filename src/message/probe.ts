/** What agents say of a probe: what would have happened. */
import type { DeliveryRequest } from './delivery.ts';
import type { OutcomeKind } from './status.ts';

/** How the log calls an outcome. */
export type LoggedOutcome = OutcomeKind | 'undeliverable-but-not-cached';

/** The outcome of a request: a probe of whatever kind delivers nothing and is not tried again. */
export function outcomeOf(kind: OutcomeKind, { probe }: Pick<DeliveryRequest, 'probe'>): OutcomeKind {
  if (!probe) return kind;
  return kind === 'sent' || kind === 'deliverable' ? 'deliverable' : 'undeliverable';
}

export function loggedOutcome(
  kind: OutcomeKind,
  { forgetsFailure }: Pick<DeliveryRequest, 'forgetsFailure'>,
): LoggedOutcome {
  return kind === 'undeliverable' && forgetsFailure === true ? 'undeliverable-but-not-cached' : kind;
}
