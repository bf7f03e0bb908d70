/** discard(8): pretends delivery; the nexthop is the text for the log. */
import type { EventChannel } from '#events';
import { type DeliveryAgent, outcomeOf } from '#message';
import { logOutcome } from './log-outcome.ts';
import { statusOfNexthop } from './nexthop-text.ts';

export interface DiscardAgentOptions {
  readonly events: EventChannel;
  readonly now?: () => number;
}

export function createDiscardAgent({ events, now = Date.now }: DiscardAgentOptions): DeliveryAgent {
  return {
    deliver(request, report) {
      const ignored: string[] = [];
      const fallback = { code: '2.0.0', reason: 'mail discarded' };
      const status = statusOfNexthop(request.nexthop, fallback, (code) => ignored.push(code));
      const kind = outcomeOf('sent', request);
      for (const recipient of request.recipients) {
        for (const code of ignored) events.emit({ kind: 'warning', text: `sent: ignoring dsn code "${code}"` });
        logOutcome(events, request, recipient, { logged: kind, status, now: now() });
        report({ index: recipient.index, kind, status, action: 'delivered' });
      }
      return Promise.resolve({});
    },
  };
}
