/**
 * Messages on their way from the store: claimed, and not active yet. What a command wants of them meanwhile is remembered
 * until they are here.
 */
import type { QueuedMessage } from '#store';
import type { WithdrawalReason } from './active.ts';

export class ComingMessages {
  #claims = 0;
  readonly #wanted = new Map<string, WithdrawalReason>();

  /** Hands each message of a claim to `take`, with the reason for which it was withdrawn meanwhile. Gives all of them. */
  async bring(
    claim: Promise<readonly QueuedMessage[]>,
    take: (message: QueuedMessage, withdrawn: WithdrawalReason | undefined) => void,
  ): Promise<readonly QueuedMessage[]> {
    this.#claims += 1;
    try {
      const messages = await claim;
      for (const message of messages) take(message, this.#wanted.get(message.queueId));
      return messages;
    } finally {
      this.#claims -= 1;
      if (this.#claims === 0) this.#wanted.clear();
    }
  }

  /** Of a message that is not active: a claim under way may bring it. */
  withdraw(queueId: string, why: WithdrawalReason): void {
    if (this.#claims > 0) this.#wanted.set(queueId, why);
  }
}
