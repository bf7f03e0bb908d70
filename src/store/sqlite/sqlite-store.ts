/** The queue in SQLite: `posthorn.db` in $queue_directory. See `schema.ts` for its tables, `writer.ts` for its one writer, `stored-messages.ts` for reading. */
import { closeSync, constants, openSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { thrownText } from '#native';
import {
  type ListedMessage,
  type MessageSelector,
  type MessageWriter,
  type QueuedMessage,
  type QueueStore,
  type Settlement,
} from '../queue-store.ts';
import { makeQueueId } from '../queue-id.ts';
import { FewRecipients } from '../recipient-list.ts';
import { Claims } from './claims.ts';
import { HeldMessages } from './held-messages.ts';
import { isLiving, processStart } from './holder.ts';
import { type GatheredMessage, SqliteMessageWriter } from './message-writer.ts';
import { QueueChanges } from './queue-changes.ts';
import { Reader } from './reader.ts';
import { databaseName, queueNumbers } from './schema.ts';
import { putOperation } from './row-operations.ts';
import { Settlements } from './settlements.ts';
import { SerialNumbers } from './serial-numbers.ts';
import { StoredMessages } from './stored-messages.ts';
import { WriterClient } from './writer-client.ts';
import type { WriterThread } from './writer-worker.ts';

export interface StoreOptions {
  readonly directory: string;
  /** enable_long_queue_ids. */
  readonly longQueueIds: boolean;
  readonly warn: (text: string) => void;
  /** The queue can't be written any more: only a new process helps. */
  readonly onLost?: (reason: string) => void;
  /** The writer's thread, where it was loaded before. */
  readonly writerThread?: WriterThread;
}

/** Opens the store, making it when it is not there. */
export async function openStore(options: StoreOptions): Promise<QueueStore> {
  const path = `${options.directory}/${databaseName}`;
  makeFile(path);
  let reader: Reader | undefined;
  const onSalvaged = (lines: readonly string[]): void => {
    for (const line of lines) options.warn(line);
    reader?.reopen();
  };
  const { warn, onLost = warn, writerThread } = options;
  const writer = await WriterClient.start(path, { onSalvaged, onLost }, writerThread);
  reader = new Reader(path);
  const store = new SqliteStore(options, writer, reader);
  await store.register();
  return store;
}

/** Made before SQLite does, so that nobody else can ever read it. */
function makeFile(path: string): void {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
  // whoever owns the directory could have put a link there
  closeSync(openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600));
}

class SqliteStore implements QueueStore {
  readonly #options: StoreOptions;
  readonly #writer: WriterClient;
  readonly #reader: Reader;
  readonly #stored: StoredMessages;
  readonly #held = new HeldMessages();
  readonly #serials: SerialNumbers;
  readonly #claims: Claims;
  readonly #settlements: Settlements;
  readonly #changes: QueueChanges;
  #holder = 0;
  #listener: ((message: QueuedMessage) => boolean) | undefined;

  constructor(options: StoreOptions, writer: WriterClient, reader: Reader) {
    this.#options = options;
    this.#writer = writer;
    this.#reader = reader;
    this.#stored = new StoredMessages(reader, writer, this.#held, options.warn);
    this.#serials = new SerialNumbers(writer, options.warn);
    this.#claims = new Claims(writer, this.#stored, this.#held, options.warn);
    this.#changes = new QueueChanges(writer, this.#stored);
    this.#settlements = new Settlements(writer, this.#held, options.warn);
  }

  /** Takes serial numbers and a holder number; gives back what dead holders left. */
  async register(): Promise<void> {
    await this.#serials.reserve();
    // a number that no other process has: its own first serial number
    this.#holder = this.#serials.take();
    await this.#writer.run({
      kind: 'register',
      number: this.#holder,
      pid: process.pid,
      started: processStart(process.pid),
    });
    await this.#releaseOf(await this.#gone(false));
    await this.#writer.run({ kind: 'sweep' });
  }

  begin(arrivedAt: number): MessageWriter {
    const serial = this.#serials.take();
    const micros = performance.now() % 1;
    const queueId = makeQueueId(arrivedAt + micros, serial, this.#options.longQueueIds);
    return new SqliteMessageWriter({ queueId, serial, holder: this.#holder }, this.#writer, (gathered) =>
      this.#commit(serial, queueId, gathered),
    );
  }

  async #commit(serial: number, queueId: string, gathered: GatheredMessage): Promise<void> {
    const { message, content, recipientParts } = gathered;
    const listener = message.queue === 'incoming' ? this.#listener : undefined;
    const lease =
      listener === undefined
        ? { queue: queueNumbers[message.queue], holder: 0 }
        : { queue: queueNumbers.active, holder: this.#holder };
    await this.#writer.run(putOperation({ serial, queueId, gathered, lease }));
    if (listener === undefined) return;
    const queued: QueuedMessage = {
      queueId,
      queue: 'active',
      envelope: message.envelope,
      recipients:
        recipientParts === undefined
          ? new FewRecipients(message.recipients.map((recipient, index) => ({ ...recipient, index, state: 'pending' })))
          : this.#stored.partedRecipients(queueId, serial, recipientParts),
      content:
        (content.chunks === undefined
          ? undefined
          : this.#held.keepContent(queueId, content.chunks, content.bytes, message.headerBytes)) ??
        this.#stored.content(queueId, serial, content.bytes, message.headerBytes),
      sizeBytes: message.sizeBytes,
      dueAt: message.envelope.arrivedAt,
      warnedAt: 0,
      forcedExpire: false,
    };
    this.#held.set(queued);
    if (!listener(queued)) {
      this.#held.forget(queued);
      // it is on disk, whatever becomes of this: nobody must hear that it was not accepted
      await this.#claims.putBack(this.#holder, { serial, queue: 'incoming', dueAt: queued.dueAt });
    }
  }

  onQueued(listener: (message: QueuedMessage) => boolean): void {
    this.#listener = listener;
  }

  claim(from: 'incoming' | 'deferred' | 'maildrop', now: number, limit: number): Promise<readonly QueuedMessage[]> {
    return this.#claims.due(this.#holder, from, now, limit);
  }

  claimById(queueIds: readonly string[]): Promise<readonly QueuedMessage[]> {
    return this.#claims.byId(this.#holder, queueIds);
  }

  makeDue(now: number, filter?: { readonly site: string }): Promise<number> {
    return this.#changes.makeDue(now, filter?.site);
  }

  settle(settlement: Settlement): Promise<void> {
    return this.#settlements.settle(settlement);
  }

  putBack(queueId: string): Promise<void> {
    return this.#claims.putBackToMaildrop(this.#holder, queueId);
  }

  list(selector: MessageSelector = {}): AsyncIterable<ListedMessage> {
    return this.#stored.list(selector);
  }

  find(queueId: string): Promise<QueuedMessage | undefined> {
    return this.#stored.find(queueId);
  }

  remove(selector: MessageSelector): Promise<readonly string[]> {
    return this.#changes.change('remove', selector);
  }

  hold(selector: MessageSelector): Promise<readonly string[]> {
    return this.#changes.change('hold', selector);
  }

  release(selector: MessageSelector): Promise<readonly string[]> {
    return this.#changes.change('release', selector);
  }

  requeue(selector: MessageSelector): Promise<readonly string[]> {
    return this.#changes.change('requeue', selector);
  }

  expire(selector: MessageSelector): Promise<readonly string[]> {
    return this.#changes.change('expire', selector);
  }

  async releaseLeases(holders: 'dead' | 'mine'): Promise<number> {
    return this.#releaseOf(await this.#gone(holders === 'mine'));
  }

  /** Numbers of those who keep no leases. */
  async #gone(isLeaving: boolean): Promise<readonly number[]> {
    const known = await this.#stored.read((reader) => reader.holders());
    return known
      .filter((holder) => (holder.number === this.#holder ? isLeaving : !isLiving(holder)))
      .map(({ number }) => number);
  }

  /** Who has come since they were looked for keeps what it holds. */
  async #releaseOf(gone: readonly number[]): Promise<number> {
    const released = await this.#writer.run({ kind: 'releaseLeases', gone });
    if (gone.length > 0) await this.#writer.run({ kind: 'forget', numbers: gone });
    return released.length;
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#options.directory);
    return bavail * bsize + (await this.#stored.read((reader) => reader.freeBytes()));
  }

  async close(): Promise<void> {
    this.#writer.waitNoMore();
    // nobody living would find what is taken under a lease that ends
    this.#writer.takeNoMore();
    try {
      await this.releaseLeases('mine');
      await this.#serials.returnRest();
    } catch (error) {
      // the next start takes over what nobody living holds
      this.#options.warn(`cannot leave the queue in order: ${thrownText(error)}`);
    }
    // the last connection to close empties the log
    this.#reader.close();
    await this.#writer.close();
  }
}
