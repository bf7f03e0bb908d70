/** Events of bounce. */
import type { Renderings } from '../event.ts';

export type BounceEvent =
  /** A notice about the message was queued as a message of its own. */
  | {
      readonly kind: 'noticeSent';
      readonly queueId: string;
      readonly to: 'sender' | 'postmaster';
      readonly about: 'non-delivery' | 'delay' | 'delivery status';
      readonly newQueueId: string;
    }
  /** A notice to the postmaster could not be delivered itself. */
  | { readonly kind: 'postmasterNoticeDiscarded'; readonly queueId: string };

export const bounceRenderings: Renderings<BounceEvent> = {
  noticeSent: (event) => `${event.queueId}: ${event.to} ${event.about} notification: ${event.newQueueId}`,
  postmasterNoticeDiscarded: (event) => `warning: ${event.queueId}: undeliverable postmaster notification discarded`,
};
