/** The log line of a delivery that needs no connection. */
import type { EventChannel } from '#events';
import type { DeliveryRequest, LoggedOutcome, RequestRecipient, Status } from '#message';

interface Told {
  readonly logged: LoggedOutcome;
  readonly status: Status;
  /** What has delivered it, for which all of the time counts; undefined where nothing was tried. */
  readonly relay?: string;
  readonly now: number;
}

export function logOutcome(
  events: EventChannel,
  request: DeliveryRequest,
  { address, original }: Pick<RequestRecipient, 'address' | 'original'>,
  { logged, status, relay, now }: Told,
): void {
  const setUpAt = relay === undefined ? now : request.startedAt;
  events.emit({
    kind: 'delivery',
    queueId: request.queueId,
    recipient: address,
    original,
    relay: relay ?? 'none',
    times: [request.envelope.arrivedAt, request.activeAt, request.startedAt, setUpAt, now],
    code: status.code,
    outcome: logged,
    text: status.reason,
  });
}
