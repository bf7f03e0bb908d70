/** error(8): bounces every recipient with the nexthop as the reason; as the retry service, defers them. */
import type { Settings } from '#config';
import type { EventChannel } from '#events';
import { type DeliveryAgent, type OutcomeKind, outcomeOf, type Status } from '#message';
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

export function createErrorAgent(options: ErrorAgentOptions): DeliveryAgent {
  const { service, events, now = Date.now } = options;
  const fallback = fallbacks[service];
  const isSoft = service === 'error' && options.settings.bool('soft_bounce');
  return {
    deliver(request, report) {
      const plain = statusOfNexthop(request.nexthop, fallback);
      // soft_bounce never changes what a probe is told
      const isSoftened = isSoft && !request.probe;
      const status: Status = isSoftened ? { ...plain, code: `4${plain.code.slice(1)}` } : plain;
      const kind: OutcomeKind = outcomeOf(service === 'retry' || isSoftened ? 'deferred' : 'bounced', request);
      for (const recipient of request.recipients) {
        logOutcome(events, request, recipient, { outcome: isSoftened ? 'SOFTBOUNCE' : kind, status, now: now() });
        report({ index: recipient.index, kind, status });
      }
      return Promise.resolve({});
    },
  };
}
