/** Messages of which nothing more is to be started: they were deleted, or are wanted elsewhere. postsuper(1) */
import type { ActiveMessage } from './active.ts';
import type { RecipientSpace } from './recipient-space.ts';
import type { Scheduler } from './scheduler.ts';

/** Takes what waits of the message out of the schedule, and reads no more of it. Its recipients stay as they are. */
export function takeBack(message: ActiveMessage, scheduler: Scheduler, space: RecipientSpace, now: number): void {
  const taken = scheduler.withdrawMessage(message, now);
  message.isGivenUp ||= taken.length > 0 || message.unreadCount > 0 || message.readCount > message.placedCount;
  for (const { transport, entry } of taken) space.released(message, transport, entry.recipients.length);
  space.givenUp(message);
  message.openEntries -= taken.length;
}
