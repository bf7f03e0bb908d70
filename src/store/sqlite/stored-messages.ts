/** The reading side of the store: rows become messages, and a damaged database is made anew when a reader meets it. */
import { setImmediate } from 'node:timers/promises';
import type { MessageContent, QueueName } from '#message';
import { type ListedMessage, type MessageSelector, type QueuedMessage, StoreError } from '../queue-store.ts';
import { serialOf } from '../queue-id.ts';
import { FewRecipients, type RecipientList } from '../recipient-list.ts';
import { storedContent } from './content.ts';
import type { HeldMessages } from './held-messages.ts';
import { withOutcomes } from './outcomes.ts';
import { isOverview, parseRow } from './parsed-row.ts';
import type { MessageRow, Reader } from './reader.ts';
import { type OnDamage, PartedRecipients, type PartsOverview } from './recipient-parts.ts';
import { isDamage } from './salvage.ts';
import { queueNameOf, queueNumbers } from './schema.ts';
import type { WriterClient } from './writer-client.ts';

const pageRows = 100;
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
    const { id, serial } = row;
    return {
      queueId: id,
      queue: queueNameOf(row.queue),
      envelope,
      recipients: isOverview(recipients)
        ? this.partedRecipients(id, serial, recipients)
        : new FewRecipients(withOutcomes(recipients, outcomes)),
      content: this.content(id, serial, row.contentBytes, row.headerBytes),
      sizeBytes: row.size,
      dueAt: row.due,
      warnedAt: row.warned,
      forcedExpire: row.expire === 1,
    };
  }

  /** Content as it is read back from the disk. */
  content(queueId: string, serial: number, sizeBytes: number, headerBytes: number): MessageContent {
    const onDamage = this.#onDamage(queueId);
    return storedContent(this.#reader, serial, { sizeBytes, headerBytes, garbage: this.#writer.garbage, onDamage });
  }

  /** Recipients as they are read back from the disk. */
  partedRecipients(queueId: string, serial: number, overview: PartsOverview): PartedRecipients {
    return new PartedRecipients(this.#reader, serial, overview, this.#onDamage(queueId));
  }

  #onDamage(queueId: string): OnDamage {
    return (reason, error) => {
      // what is lost with the file is known after it was made anew: the next attempt meets it
      if (isDamage(error)) this.salvage(error).catch((failure: unknown) => this.#warn(String(failure)));
      else this.#held.noteDamage(queueId, reason);
    };
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
      // a long queue holds up nobody
      await setImmediate();
    }
  }

  /** Serial numbers of deferred messages with a recipient that waits, in this domain. */
  async waitingFor(domain: string): Promise<readonly number[]> {
    const suffix = `@${domain.toLowerCase()}`;
    const serials: number[] = [];
    for await (const { queueId, recipients } of this.list({ queues: ['deferred'] })) {
      const serial = serialOf(queueId);
      if (serial !== undefined && (await hasWaiting(recipients, suffix))) serials.push(serial);
    }
    return serials;
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

async function hasWaiting(recipients: RecipientList, suffix: string): Promise<boolean> {
  try {
    for (const part of recipients.withPending()) {
      if (part.some(({ state, address }) => state === 'pending' && address.toLowerCase().endsWith(suffix))) return true;
      if (recipients.isInParts) await setImmediate();
    }
  } catch (error) {
    // what is damaged is set aside when its time comes
    if (!(error instanceof StoreError)) throw error;
  }
  return false;
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
