/** Messages that this process takes to work on; what turns out to be damaged is set aside. */
import { thrownText } from '#native';
import type { QueuedMessage } from '../queue-store.ts';
import { serialOf } from '../queue-id.ts';
import type { HeldMessages } from './held-messages.ts';
import { type LeaseReturn, LeaseReturns } from './lease-returns.ts';
import type { MessageRow } from './reader.ts';
import { corruptWarning, queueNameOf, queueNumbers } from './schema.ts';
import type { StoredMessages } from './stored-messages.ts';
import type { WriterClient } from './writer-client.ts';

/** What can't be read now is tried again after that. */
const rereadMs = 60_000;

export class Claims {
  readonly #writer: Pick<WriterClient, 'run'>;
  readonly #stored: Pick<StoredMessages, 'read' | 'toMessage'>;
  readonly #held: HeldMessages;
  readonly #warn: (text: string) => void;
  readonly #returns: LeaseReturns;

  constructor(
    writer: Pick<WriterClient, 'run'>,
    stored: Pick<StoredMessages, 'read' | 'toMessage'>,
    held: HeldMessages,
    warn: (text: string) => void,
  ) {
    this.#writer = writer;
    this.#stored = stored;
    this.#held = held;
    this.#warn = warn;
    this.#returns = new LeaseReturns(writer, warn);
  }

  /** Up to `limit` messages that are due in a queue, the longest waiting first. */
  async due(
    holder: number,
    from: 'incoming' | 'deferred' | 'maildrop',
    now: number,
    limit: number,
  ): Promise<readonly QueuedMessage[]> {
    await this.#returns.retry(holder);
    const serials = await this.#writer.run({ kind: 'claim', from, now, limit, holder });
    const messages = await this.#load(holder, serials, from === 'maildrop' ? 'maildrop' : 'deferred');
    // they come in any order
    return messages.toSorted((a, b) => a.dueAt - b.dueAt);
  }

  /** Those of these messages that nobody works on. */
  async byId(holder: number, queueIds: readonly string[]): Promise<readonly QueuedMessage[]> {
    const serials = queueIds.flatMap((id) => serialOf(id) ?? []);
    return this.#load(holder, await this.#writer.run({ kind: 'claimSerials', serials, holder }), 'deferred');
  }

  /** Puts back what is under our lease and nobody took. Never rejects. */
  putBack(holder: number, lease: LeaseReturn): Promise<void> {
    return this.#returns.give(holder, [lease]);
  }

  /** A message that could not pass cleanup now; one that was found damaged goes to corrupt. Never rejects. */
  async putBackToMaildrop(holder: number, queueId: string): Promise<void> {
    const message = this.#held.get(queueId);
    const serial = serialOf(queueId);
    if (message === undefined || serial === undefined) return;
    const reason = this.#held.damageOf(queueId);
    this.#held.forget(message);
    if (reason !== undefined) this.#warn(corruptWarning(queueId, 'maildrop', reason));
    const queue = reason === undefined ? 'maildrop' : 'corrupt';
    await this.#returns.give(holder, [{ serial, queue, dueAt: message.dueAt }]);
  }

  /** Those that can be read; the others go to `unreadTo`. */
  async #load(
    holder: number,
    serials: readonly number[],
    unreadTo: 'deferred' | 'maildrop',
  ): Promise<readonly QueuedMessage[]> {
    const messages: QueuedMessage[] = [];
    const unread: LeaseReturn[] = [];
    for (const serial of serials) {
      try {
        const message = await this.#loadOne(serial);
        if (message !== undefined) messages.push(message);
      } catch (error) {
        this.#warn(`cannot take up a queued message: ${thrownText(error)}`);
        unread.push({ serial, queue: unreadTo, dueAt: Date.now() + rereadMs });
      }
    }
    await this.#returns.give(holder, unread);
    return messages;
  }

  /** Undefined: it is gone, or damaged and set aside. */
  async #loadOne(serial: number): Promise<QueuedMessage | undefined> {
    const row = await this.#stored.read((reader) => reader.row(serial));
    if (row === undefined) return undefined;
    try {
      const message = this.#stored.toMessage(row);
      this.#held.set(message);
      return message;
    } catch (error) {
      await this.#setAside(row, error);
      return undefined;
    }
  }

  async #setAside(row: MessageRow, error: unknown): Promise<void> {
    this.#warn(corruptWarning(row.id, queueNameOf(row.queue), thrownText(error)));
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
