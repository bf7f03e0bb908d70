/** A service that Postfix would end at each message, for what its settings say. */
import type { EventChannel } from '#events';
import type { DeliveryAgent, Status } from '#message';
import { logOutcome } from './log-outcome.ts';

/** As Postfix says of a service that ends before it delivers. */
const status: Status = { code: '4.3.0', reason: 'unknown mail transport error' };

/** In place of an agent whose settings can't be used: all its mail waits, and the log says why. */
export function createStoppedAgent(
  problem: string,
  { events, now }: { readonly events: EventChannel; readonly now: () => number },
): DeliveryAgent {
  return {
    deliver(request, report) {
      events.emit({ kind: 'fatal', text: problem });
      for (const recipient of request.recipients) {
        logOutcome(events, request, recipient, { logged: 'deferred', status, now: now() });
        report({ index: recipient.index, kind: 'deferred', status });
      }
      return Promise.resolve({});
    },
  };
}
