/** A mailbox has to have room for the largest message, or nothing is delivered to any. local(8), virtual(8) */
import type { Settings } from '#config';
import type { EventChannel } from '#events';
import type { DeliveryAgent, Status } from '#message';
import { logOutcome } from './log-outcome.ts';

export type MailboxLimit = 'mailbox_size_limit' | 'virtual_mailbox_limit';

/** What is wrong with the limit of mailboxes beside message_size_limit; undefined: nothing. */
export function mailboxLimitProblem(settings: Settings, parameter: MailboxLimit): string | undefined {
  const mailbox = settings.int(parameter);
  const message = settings.int('message_size_limit');
  if (mailbox === 0) return undefined;
  if (message === 0) return `${parameter} is limited but message_size_limit is unlimited`;
  return mailbox < message ? `${parameter} is smaller than message_size_limit` : undefined;
}

/** As Postfix says of a service that ends before it delivers. */
const status: Status = { code: '4.3.0', reason: 'unknown mail transport error' };

/** In place of an agent whose settings contradict each other: all its mail waits, and the log says why. */
export function createStoppedAgent(
  problem: string,
  { events, now }: { readonly events: EventChannel; readonly now: () => number },
): DeliveryAgent {
  return {
    deliver(request, report) {
      events.emit({ kind: 'fatal', text: `configuration error: ${problem}` });
      for (const recipient of request.recipients) {
        logOutcome(events, request, recipient, { logged: 'deferred', status, now: now() });
        report({ index: recipient.index, kind: 'deferred', status });
      }
      return Promise.resolve({});
    },
  };
}
