/** error(8): bounces every recipient with the nexthop as the reason; as the retry service, defers them. */
import type { Settings } from '#config';
import type { EventChannel } from '#events';
import { concludedAs, type DeliveryAgent, type Status } from '#message';
import { logOutcome } from './log-outcome.ts';
import { statusOfNexthop } from './nexthop-text.ts';

export interface ErrorAgentOptions {
  readonly service: 'error' | 'retry';
  readonly events: EventChannel;
  readonly settings: Settings;
  readonly now?: () => number;
}

const fallbacks: Readonly<Record<'error' | 'retry', Status>> = {
  error: { code: '5.0.0', reason: 'Address is undeliverable' },
  retry: { code: '4.0.0', reason: 'Address is undeliverable' },
};

/** What notices and the queue listing say of a nexthop that is a code without a reason; the log has nothing to say. */
const unexplained = '(description unavailable)';

/** Who speaks in the log of a status code that is not used. */
const append = { error: 'bounce_append', retry: 'defer_append' } as const;

export function createErrorAgent(options: ErrorAgentOptions): DeliveryAgent {
  const { service, events, now = Date.now } = options;
  const fallback = fallbacks[service];
  const isSoft = options.settings.bool('soft_bounce');
  return {
    deliver(request, report) {
      const ignored: string[] = [];
      const status = statusOfNexthop(request.nexthop, fallback, (code) => ignored.push(code));
      const found = { kind: service === 'retry' ? ('deferred' as const) : ('bounced' as const), status };
      const { logged, ...outcome } = concludedAs(found, request, isSoft);
      for (const recipient of request.recipients) {
        for (const code of ignored)
          events.emit({ kind: 'warning', text: `${append[service]}: ignoring dsn code "${code}"` });
        logOutcome(events, request, recipient, { logged, status: outcome.status, now: now() });
        const { reason } = outcome.status;
        report({ index: recipient.index, ...outcome, status: { ...outcome.status, reason: reason || unexplained } });
      }
      return Promise.resolve({});
    },
  };
}
