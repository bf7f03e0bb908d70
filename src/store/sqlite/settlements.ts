/** What has become of messages that this process works on, on its way to the writer. */
import type { QueuedMessage, Settlement } from '../queue-store.ts';
import { StoreError } from '../queue-store.ts';
import { serialOf } from '../queue-id.ts';
import { FewRecipients } from '../recipient-list.ts';
import type { HeldMessages } from './held-messages.ts';
import { maxInMemory } from './message-writer.ts';
import type { Operation } from './operations.ts';
import { mergeOutcomes, withOutcomes } from './outcomes.ts';
import { changesByPart, outcomesText } from './progress.ts';
import { PartedRecipients } from './recipient-parts.ts';
import { updateOperation } from './row-operations.ts';
import { corruptWarning, queueNumbers } from './schema.ts';
import type { WriterClient } from './writer-client.ts';

export class Settlements {
  readonly #writer: WriterClient;
  readonly #held: HeldMessages;
  readonly #warn: (text: string) => void;

  constructor(writer: WriterClient, held: HeldMessages, warn: (text: string) => void) {
    this.#writer = writer;
    this.#held = held;
    this.#warn = warn;
  }

  /** Resolves when it is on disk. */
  async settle(settlement: Settlement): Promise<void> {
    const { queueId, next } = settlement;
    const held = this.#held.get(queueId);
    const serial = serialOf(queueId);
    if (held === undefined || serial === undefined) throw new StoreError(`${queueId}: not claimed by this process`);
    try {
      await this.#write(held, serial, settlement);
    } catch (error) {
      // it is under our lease still: who settles it may try again
      if (next !== undefined) this.#held.set(held);
      throw error;
    }
  }

  async #write(held: QueuedMessage, serial: number, settlement: Settlement): Promise<void> {
    const { outcomes, done, next } = settlement;
    const { recipients } = held;
    if (next?.kind === 'gone') {
      this.#held.forget(held);
      const isOnePart = held.content.sizeBytes <= maxInMemory && !recipients.isInParts;
      // a message that was never deferred never waited for a site
      const mayHaveSites = held.dueAt !== held.envelope.arrivedAt;
      await this.#writer.run({ kind: 'gone', serial, parts: isOnePart ? 1 : 0, mayHaveSites });
    } else if (recipients instanceof PartedRecipients) {
      const { partSize } = recipients;
      const changes = changesByPart(outcomes, done ?? [], partSize);
      if (changes.length > 0) await this.#writer.run({ kind: 'progress', serial, partSize, changes });
      // only now: who takes the message next must not deliver to those again
      if (next !== undefined) await this.#writer.run(this.#moved(held, settlement, next));
    } else if (recipients instanceof FewRecipients) {
      const merged = mergeOutcomes(recipients.list, outcomes, done ?? []);
      if (next === undefined) {
        this.#held.set({ ...held, recipients: new FewRecipients(withOutcomes(recipients.list, merged)) });
        await this.#writer.run({ kind: 'outcomes', serial, outcomes: outcomesText(merged) });
      } else await this.#writer.run({ ...this.#moved(held, settlement, next), outcomes: outcomesText(merged) });
    }
  }

  /** The message is not held any more; what was found damaged goes to corrupt. */
  #moved(
    held: QueuedMessage,
    { queueId, warnedAt, sites }: Settlement,
    { dueAt }: Extract<Settlement['next'], { readonly kind: 'deferred' }>,
  ): Operation & { readonly kind: 'update' } {
    const reason = this.#held.damageOf(queueId);
    this.#held.forget(held);
    if (reason !== undefined) this.#warn(corruptWarning(queueId, 'active', reason));
    const queue = reason === undefined ? queueNumbers.deferred : queueNumbers.corrupt;
    return { ...updateOperation(held, queue, dueAt, [], warnedAt), sites };
  }
}
