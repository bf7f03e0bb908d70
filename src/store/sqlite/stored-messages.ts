/** The reading side of the store: rows become messages, and a damaged database is made anew when a reader meets it. */
import { setImmediate } from 'node:timers/promises';
import type { MessageContent, QueueName } from '#message';
import { thrownText } from '#native';
import { type ListedMessage, type MessageSelector, type QueuedMessage, StoreError } from '../queue-store.ts';
import { serialOf } from '../queue-id.ts';
import { FewRecipients } from '../recipient-list.ts';
import { storedContent } from './content.ts';
import type { HeldMessages } from './held-messages.ts';
import { withOutcomes } from './outcomes.ts';
import { isOverview, parseRow } from './parsed-row.ts';
import type { MessageName, MessageRow, Reader, Stretch } from './reader.ts';
import { type OnDamage, PartedRecipients, type PartsOverview } from './recipient-parts.ts';
import { isDamage } from './damage.ts';
import { queueNameOf, queueNumbers } from './schema.ts';
import type { WriterClient } from './writer-client.ts';

const pageRows = 100;
/** Messages that are looked through in one turn of the event loop for those of some queues: that takes a millisecond. */
const stretchRows = 2000;
/** Messages that are changed in one transaction. */
const pageNames = 1000;
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
    const cause = thrownText(error);
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
      // whether this message is among what is lost shows when the file was made anew, at its next attempt
      if (isDamage(error)) this.salvage(error).catch((failure: unknown) => this.#warn(String(failure)));
      else this.#held.noteDamage(queueId, reason);
    };
  }

  async *list(selector: MessageSelector = {}): AsyncIterable<ListedMessage> {
    const { queueIds } = selector;
    const queues = (selector.queues ?? allQueues).map((name) => queueNumbers[name]);
    const pages =
      queueIds === undefined
        ? this.#inStretches(pageRows, Infinity, (reader, stretch) => reader.page(queues, stretch))
        : this.#rowsOf(queueIds, queues);
    for await (const rows of pages) {
      for (const row of rows) {
        try {
          yield this.toMessage(row);
        } catch {
          // damaged: it is set aside, with a log line, when it is claimed
        }
      }
    }
  }

  async *#rowsOf(queueIds: readonly string[], queues: readonly number[]): AsyncIterable<readonly MessageRow[]> {
    for (const queueId of queueIds) {
      const serial = serialOf(queueId);
      if (serial === undefined) continue;
      const rows = await this.read((reader) => reader.page(queues, { after: serial - 1, last: serial, limit: 1 }));
      yield rows.filter(({ id }) => id === queueId);
    }
  }

  /**
   * What `find` gives of all messages up to `last`, `limit` at most at a time. A long queue holds up nobody, however few of
   * it are found.
   */
  async *#inStretches<T extends { readonly serial: number }>(
    limit: number,
    last: number,
    find: (reader: Reader, stretch: Stretch) => readonly T[],
  ): AsyncIterable<readonly T[]> {
    for (let after = 0, end = 0; after < last;) {
      if (after >= end) {
        const from = after;
        const next = await this.read((reader) => reader.stretchEnd(from, stretchRows));
        if (next === undefined) return;
        end = Math.min(next, last);
      }
      const stretch = { after, last: end, limit };
      const found = await this.read((reader) => find(reader, stretch));
      if (found.length > 0) yield found;
      after = found.length < limit ? end : (found.at(-1)?.serial ?? end);
      await setImmediate();
    }
  }

  /** Deferred messages that wait for a site. */
  async *waitingFor(site: string): AsyncIterable<readonly MessageName[]> {
    for (let after = 0; ;) {
      const from = after;
      const found = await this.read((reader) => reader.waitingFor(site.toLowerCase(), from, pageNames));
      if (found.length > 0) yield found;
      const last = found.at(-1);
      if (last === undefined || found.length < pageNames) return;
      after = last.serial;
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
      throw new StoreError(thrownText(error));
    }
  }

  /** Names of the messages there are now, some at a time; of damaged messages too: they can be removed. */
  async *names({ queueIds, queues = allQueues }: MessageSelector): AsyncIterable<readonly MessageName[]> {
    const numbers = queues.map((name) => queueNumbers[name]);
    if (queueIds !== undefined) {
      for (let at = 0; at < queueIds.length; at += pageNames) {
        const wanted = queueIds.slice(at, at + pageNames);
        const found = await this.read((reader) => wanted.flatMap((id) => named(reader, id, numbers) ?? []));
        if (found.length > 0) yield found;
      }
      return;
    }
    // without messages that come meanwhile, perhaps because of what the caller does with these
    const last = await this.read((reader) => reader.lastSerial());
    yield* this.#inStretches(pageNames, last, (reader, stretch) => reader.names(numbers, stretch));
  }
}

function named(reader: Reader, id: string, queues: readonly number[]): MessageName | undefined {
  const serial = serialOf(id);
  const found = serial === undefined ? undefined : reader.name(serial, queues);
  return found?.id === id ? found : undefined;
}
