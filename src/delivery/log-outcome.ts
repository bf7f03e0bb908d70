/** The log line of a delivery that needs no connection. */
import type { EventChannel } from '#events';
import type { DeliveryRequest, LoggedOutcome, RequestRecipient, Status } from '#message';

export function logOutcome(
  events: EventChannel,
  request: DeliveryRequest,
  recipient: RequestRecipient,
  { logged, status, now }: { readonly logged: LoggedOutcome; readonly status: Status; readonly now: number },
): void {
  events.emit({
    kind: 'delivery',
    queueId: request.queueId,
    recipient: recipient.address,
    original: recipient.original,
    relay: 'none',
    times: [request.envelope.arrivedAt, request.activeAt, request.startedAt, now, now],
    code: status.code,
    outcome: logged,
    text: status.reason,
  });
}
