/** Messages of which nothing more is to be started: they were deleted, or are wanted elsewhere. postsuper(1) */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ActiveMessage, WithdrawalReason } from './active.ts';
import type { ActiveMessages } from './active-messages.ts';
import type { RecipientSpace } from './recipient-space.ts';
import type { Scheduler } from './scheduler.ts';

/** Messages that are withdrawn before others have their turn. */
const atOnce = 500;

export interface WithdrawalParts {
  readonly active: ActiveMessages;
  readonly scheduler: Scheduler;
  readonly space: RecipientSpace;
  /** The clock of the schedule. */
  readonly now: () => number;
  /** Nothing of the message is under way: its end is written down. Never rejects. */
  readonly settle: (message: ActiveMessage) => Promise<void>;
  /** The message is not active. */
  readonly onAbsent: (queueId: string, why: WithdrawalReason) => void;
}

export class Withdrawal {
  readonly #parts: WithdrawalParts;

  constructor(parts: WithdrawalParts) {
    this.#parts = parts;
  }

  /** Withdraws messages by their queue IDs. Gives the settlements of those of which nothing is under way. */
  async withdraw(queueIds: readonly string[], why: WithdrawalReason): Promise<readonly Promise<void>[]> {
    const settlements: Promise<void>[] = [];
    for (const [place, queueId] of queueIds.entries()) {
      if (place % atOnce === atOnce - 1) await nextTurn();
      const message = this.#parts.active.get(queueId);
      if (message === undefined) this.#parts.onAbsent(queueId, why);
      if (message === undefined || message.isSettling) continue;
      message.withdrawn = why;
      // what is being routed is taken back after that
      const settled = message.isRouting ? undefined : this.takeBack(message);
      if (settled !== undefined) settlements.push(settled);
    }
    return settlements;
  }

  /**
   * Takes what waits of the message out of the schedule, and reads no more of it. Its recipients stay as they are. Gives
   * its settlement; undefined while a delivery of it is under way.
   */
  takeBack(message: ActiveMessage): Promise<void> | undefined {
    const { scheduler, space, now, settle } = this.#parts;
    const taken = scheduler.withdrawMessage(message, now());
    message.isGivenUp ||= taken.length > 0 || message.unreadCount > 0 || message.readCount > message.placedCount;
    for (const { transport, entry } of taken) space.released(message, transport, entry.recipients.length);
    space.givenUp(message);
    message.openEntries -= taken.length;
    return message.isDone ? settle(message) : undefined;
  }
}
