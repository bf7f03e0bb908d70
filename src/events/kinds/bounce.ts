/** Events of bounce. */
import type { Renderings } from '../event.ts';

/** A notice about the message starts as a message of its own; whether it is queued shows later. */
export interface NoticeSent {
  readonly kind: 'noticeSent';
  readonly queueId: string;
  readonly to: 'sender' | 'postmaster';
  readonly about: 'non-delivery' | 'delay' | 'delivery status';
  readonly newQueueId: string;
}

export type BounceEvent =
  | NoticeSent
  /** It was not queued. */
  | {
      readonly kind: 'noticeFailed';
      readonly queueId: string;
      readonly to: NoticeSent['to'];
      readonly address: string;
      readonly reason: string;
    }
  /** A notice to the postmaster could not be delivered itself. */
  | { readonly kind: 'postmasterNoticeDiscarded'; readonly queueId: string }
  /** A report of what was done would go to nobody. */
  | { readonly kind: 'reportNotSent'; readonly queueId: string; readonly sender: 'null' | 'double bounce' };

export const bounceRenderings: Renderings<BounceEvent> = {
  noticeSent: (event) => `${event.queueId}: ${event.to} ${event.about} notification: ${event.newQueueId}`,
  noticeFailed: (event, shown) =>
    `${event.queueId}: ${event.to} notification failed to <${shown(event.address)}>: ${event.reason}`,
  reportNotSent: (event) =>
    `${event.queueId}: not sending trace/success notification for ${event.sender === 'null' ? 'single' : 'double'}-bounce message`,
  postmasterNoticeDiscarded: (event) => `warning: ${event.queueId}: undeliverable postmaster notification discarded`,
};
