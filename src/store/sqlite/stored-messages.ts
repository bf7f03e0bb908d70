/** The reading side of the store: rows become messages, and a damaged database is made anew when a reader meets it. */
import type { MessageContent, QueueName } from '#message';
import { type ListedMessage, type MessageSelector, type QueuedMessage, StoreError } from '../queue-store.ts';
import { serialOf } from '../queue-id.ts';
import { storedContent } from './content.ts';
import type { HeldMessages } from './held-messages.ts';
import { withOutcomes } from './outcomes.ts';
import { type MessageRow, parseRow, type Reader } from './reader.ts';
import { isDamage } from './salvage.ts';
import { queueNameOf, queueNumbers } from './schema.ts';
import type { WriterClient } from './writer-client.ts';

const pageRows = 500;
const allQueues: readonly QueueName[] = ['incoming', 'active', 'deferred', 'hold', 'maildrop'];

export class StoredMessages {
  readonly #reader: Reader;
  readonly #writer: WriterClient;
  readonly #held: HeldMessages;
  readonly #warn: (text: string) => void;

  constructor(reader: Reader, writer: WriterClient, held: HeldMessages, warn: (text: string) => void) {
    this.#reader = reader;
    this.#writer = writer;
    this.#held = held;
    this.#warn = warn;
  }

  /** Reads from the database; when it turns out to be damaged, again from what could be saved. */
  async read<T>(read: (reader: Reader) => T): Promise<T> {
    try {
      return read(this.#reader);
    } catch (error) {
      if (!isDamage(error)) throw error;
      await this.salvage(error);
      return read(this.#reader);
    }
  }

  salvage(error: unknown): Promise<unknown> {
    const cause = error instanceof Error ? error.message : String(error);
    return this.#writer.run({ kind: 'salvage', inode: this.#reader.inode, cause });
  }

  /** Throws when the row is damaged. */
  toMessage(row: MessageRow): QueuedMessage {
    const { envelope, recipients, outcomes } = parseRow(row);
    return {
      queueId: row.id,
      queue: queueNameOf(row.queue),
      envelope,
      recipients: withOutcomes(recipients, outcomes),
      content: this.content(row.id, row.serial, row.contentBytes, row.headerBytes),
      sizeBytes: row.size,
      dueAt: row.due,
      warnedAt: row.warned,
      forcedExpire: row.expire === 1,
    };
  }

  /** Content as it is read back from the disk. */
  content(queueId: string, serial: number, sizeBytes: number, headerBytes: number): MessageContent {
    const onDamage = (reason: string, error?: unknown): void => {
      // what is lost with the file is known after it was made anew: the next attempt meets it
      if (isDamage(error)) this.salvage(error).catch((failure: unknown) => this.#warn(String(failure)));
      else this.#held.noteDamage(queueId, reason);
    };
    return storedContent(this.#reader, serial, { sizeBytes, headerBytes, garbage: this.#writer.garbage, onDamage });
  }

  async *list(selector: MessageSelector = {}): AsyncIterable<ListedMessage> {
    if (selector.queueIds !== undefined) {
      for (const id of selector.queueIds) {
        const message = await this.find(id);
        if (message !== undefined && (selector.queues?.includes(message.queue) ?? true)) yield message;
      }
      return;
    }
    const queues = (selector.queues ?? allQueues).map((name) => queueNumbers[name]);
    for (let after = 0; ;) {
      const from = after;
      const rows = await this.read((reader) => reader.page(queues, from, pageRows));
      for (const row of rows) {
        try {
          yield this.toMessage(row);
        } catch {
          // damaged: it is set aside, with a log line, when it is claimed
        }
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < pageRows) return;
      after = last.serial;
      await Promise.resolve();
    }
  }

  /** Rejects with StoreError when the message is there but damaged. */
  async find(queueId: string): Promise<QueuedMessage | undefined> {
    const serial = serialOf(queueId);
    const row = serial === undefined ? undefined : await this.read((reader) => reader.row(serial));
    if (row === undefined || row.id !== queueId) return undefined;
    try {
      return await Promise.resolve(this.toMessage(row));
    } catch (error) {
      throw new StoreError(error instanceof Error ? error.message : String(error));
    }
  }

  /** Serial numbers and names; of damaged messages too: they can be removed. */
  rows(selector: MessageSelector): Promise<readonly { readonly serial: number; readonly id: string }[]> {
    return this.read((reader) => rowsOf(reader, selector));
  }
}

function rowsOf(
  reader: Reader,
  { queueIds, queues }: MessageSelector,
): readonly { readonly serial: number; readonly id: string }[] {
  const numbers = (queues ?? allQueues).map((name) => queueNumbers[name]);
  if (queueIds === undefined) return reader.ids(numbers);
  return queueIds.flatMap((id) => {
    const serial = serialOf(id);
    const row = serial === undefined ? undefined : reader.row(serial);
    return row?.id === id && numbers.includes(row.queue) ? [{ serial: row.serial, id }] : [];
  });
}
