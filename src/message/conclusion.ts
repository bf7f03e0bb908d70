/** What a delivery agent's finding comes to, for the queue and for the log: probes and soft_bounce. */
import type { DeliveryRequest } from './delivery.ts';
import type { OutcomeKind, Status } from './status.ts';

/** How the log calls an outcome. */
export type LoggedOutcome = OutcomeKind | 'undeliverable-but-not-cached' | 'SOFTBOUNCE';

/** The outcome of a request: a probe of whatever kind delivers nothing and is not tried again. */
export function outcomeOf(kind: OutcomeKind, { probe }: Pick<DeliveryRequest, 'probe'>): OutcomeKind {
  if (!probe) return kind;
  return kind === 'sent' || kind === 'deliverable' ? 'deliverable' : 'undeliverable';
}

export interface Finding {
  readonly kind: OutcomeKind;
  readonly status: Status;
}

/** With soft_bounce mail that would go back stays in the queue; what a probe is told does not change. postconf(5) */
export function concludedAs(
  { kind, status }: Finding,
  request: Pick<DeliveryRequest, 'probe' | 'forgetsFailure'>,
  softBounce: boolean,
): Finding & { readonly logged: LoggedOutcome } {
  if (softBounce && kind === 'bounced' && !request.probe) {
    const softened = { ...status, code: `4${status.code.slice(1)}` };
    return { kind: 'deferred', status: softened, logged: 'SOFTBOUNCE' };
  }
  const outcome = outcomeOf(kind, request);
  const isForgotten = outcome === 'undeliverable' && request.forgetsFailure === true;
  return { kind: outcome, status, logged: isForgotten ? 'undeliverable-but-not-cached' : outcome };
}
