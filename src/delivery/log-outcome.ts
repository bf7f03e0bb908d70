/** The log line of a delivery that needs no connection. */
import { toExternal } from '#address';
import type { EventChannel } from '#events';
import { type DeliveryRequest, loggedOutcome, type OutcomeKind, type RequestRecipient, type Status } from '#message';

export function logOutcome(
  events: EventChannel,
  request: DeliveryRequest,
  recipient: RequestRecipient,
  { outcome, status, now }: { outcome: OutcomeKind | 'SOFTBOUNCE'; status: Status; now: number },
): void {
  events.emit({
    kind: 'delivery',
    queueId: request.queueId,
    recipient: toExternal(recipient.address),
    original: toExternal(recipient.original),
    relay: 'none',
    times: [request.envelope.arrivedAt, request.activeAt, request.startedAt, now, now],
    code: status.code,
    outcome: outcome === 'SOFTBOUNCE' ? outcome : loggedOutcome(outcome, request),
    text: status.reason,
  });
}
