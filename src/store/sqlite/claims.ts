/** Messages that this process takes to work on; what turns out to be damaged is set aside. */
import type { QueuedMessage } from '../queue-store.ts';
import { serialOf } from '../queue-id.ts';
import type { HeldMessages } from './held-messages.ts';
import type { MessageRow } from './reader.ts';
import { corruptWarning, queueNameOf, queueNumbers } from './schema.ts';
import type { StoredMessages } from './stored-messages.ts';
import type { WriterClient } from './writer-client.ts';

export class Claims {
  readonly #writer: WriterClient;
  readonly #stored: StoredMessages;
  readonly #held: HeldMessages;
  readonly #warn: (text: string) => void;

  constructor(writer: WriterClient, stored: StoredMessages, held: HeldMessages, warn: (text: string) => void) {
    this.#writer = writer;
    this.#stored = stored;
    this.#held = held;
    this.#warn = warn;
  }

  /** Up to `limit` messages that are due in a queue, the longest waiting first. */
  async due(
    holder: number,
    from: 'incoming' | 'deferred' | 'maildrop',
    now: number,
    limit: number,
  ): Promise<readonly QueuedMessage[]> {
    return this.#load(await this.#writer.run({ kind: 'claim', from, now, limit, holder }));
  }

  /** Those of these messages that nobody works on. */
  async byId(holder: number, queueIds: readonly string[]): Promise<readonly QueuedMessage[]> {
    const serials = queueIds.flatMap((id) => serialOf(id) ?? []);
    return this.#load(await this.#writer.run({ kind: 'claimSerials', serials, holder }));
  }

  async #load(serials: readonly number[]): Promise<readonly QueuedMessage[]> {
    const messages: QueuedMessage[] = [];
    for (const serial of serials) {
      const row = await this.#stored.read((reader) => reader.row(serial));
      if (row === undefined) continue;
      try {
        const message = this.#stored.toMessage(row);
        this.#held.set(message);
        messages.push(message);
      } catch (error) {
        await this.#setAside(row, error);
      }
    }
    return messages;
  }

  async #setAside(row: MessageRow, error: unknown): Promise<void> {
    this.#warn(corruptWarning(row.id, queueNameOf(row.queue), error instanceof Error ? error.message : String(error)));
    await this.#writer.run({
      kind: 'update',
      serial: row.serial,
      queue: queueNumbers.corrupt,
      holder: 0,
      due: row.due,
      outcomes: row.outcomes,
      warned: undefined,
    });
  }
}
