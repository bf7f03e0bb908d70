/** A message on its way into the store: what is small is gathered, large content and many recipients go to the writer thread in parts. */
import type { MaybePromise, Recipient } from '#message';
import type { MessageWriter, NewMessage } from '../queue-store.ts';
import { type PartsOverview, partSize } from './recipient-parts.ts';
import { firstRecipientPart } from './schema.ts';
import type { WriterClient } from './writer-client.ts';

/** Content up to this size stays in memory and is written with its message. */
export const maxInMemory = 256 * 1024;
const maxBytesInFlight = 4 * 1024 * 1024;

export interface GatheredContent {
  /** Undefined: written in parts already. */
  readonly chunks: readonly Buffer[] | undefined;
  readonly bytes: number;
}

export interface GatheredMessage {
  readonly message: NewMessage;
  readonly content: GatheredContent;
  /** Undefined: they are few, and in the message. */
  readonly recipientParts: PartsOverview | undefined;
  /** Something was written before. */
  readonly hasParts: boolean;
}

export class SqliteMessageWriter implements MessageWriter {
  readonly queueId: string;
  readonly #serial: number;
  readonly #holder: number;
  readonly #writer: WriterClient;
  readonly #commit: (gathered: GatheredMessage) => Promise<void>;
  #chunks: Buffer[] = [];
  #gathered = 0;
  #bytes = 0;
  #parts = 0;
  #inFlight = 0;
  #failed: Error | undefined;
  #pending: Promise<unknown>[] = [];
  /** Those that are in no part yet. */
  #recipients: Recipient[] = [];
  #recipientParts = 0;
  #hasParts = false;

  constructor(
    { queueId, serial, holder }: { queueId: string; serial: number; holder: number },
    writer: WriterClient,
    commit: (gathered: GatheredMessage) => Promise<void>,
  ) {
    this.queueId = queueId;
    this.#serial = serial;
    this.#holder = holder;
    this.#writer = writer;
    this.#commit = commit;
  }

  write(chunk: Buffer): void | Promise<void> {
    this.#chunks.push(chunk);
    this.#gathered += chunk.length;
    this.#bytes += chunk.length;
    if (this.#gathered <= maxInMemory) return undefined;
    this.#flushPart();
    if (this.#inFlight <= maxBytesInFlight) return undefined;
    return Promise.all(this.#pending).then(() => undefined);
  }

  #flushPart(): void {
    const data = this.#writer.partBuffer(this.#gathered);
    copyChunks(this.#chunks, data);
    this.#writer.garbage.add(data.length);
    this.#chunks = [];
    this.#gathered = 0;
    this.#send(this.#parts, data);
    this.#parts += 1;
  }

  #send(part: number, data: Buffer): void {
    const { length } = data;
    this.#hasParts = true;
    this.#inFlight += length;
    const written = this.#writer
      .run({ kind: 'part', serial: this.#serial, holder: this.#holder, part, data })
      .catch((error: unknown) => this.#fail(error))
      .then(() => {
        this.#inFlight -= length;
        this.#pending = this.#pending.filter((other) => other !== written);
      });
    this.#pending.push(written);
  }

  #fail(error: unknown): void {
    this.#failed ??= error instanceof Error ? error : new Error(String(error));
  }

  addRecipients(recipients: readonly Recipient[]): MaybePromise<void> {
    for (const recipient of recipients) this.#recipients.push(recipient);
    // the rest waits: of a message with few recipients they stand in its row, not in a part
    while (this.#recipients.length > partSize) this.#flushRecipients();
    if (this.#inFlight <= maxBytesInFlight) return undefined;
    return Promise.all(this.#pending).then(() => undefined);
  }

  #flushRecipients(): void {
    const text = JSON.stringify(this.#recipients.splice(0, partSize));
    // of its own: the writer thread takes the memory away
    const data = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
    data.write(text);
    this.#send(firstRecipientPart + this.#recipientParts, data);
    this.#recipientParts += 1;
  }

  forgetRecipients(): void {
    this.#recipients = [];
    if (this.#recipientParts === 0) return;
    this.#recipientParts = 0;
    // a commit waits for it: the parts it takes away must not be committed
    const forgotten = this.#writer.run({ kind: 'forgetRecipients', serial: this.#serial }).then(
      () => undefined,
      (error: unknown) => this.#fail(error),
    );
    this.#pending.push(forgotten);
  }

  async commit(message: NewMessage): Promise<void> {
    const hasAdded = this.#recipients.length > 0 || this.#recipientParts > 0;
    if (hasAdded || message.recipients.length > partSize) await this.addRecipients(message.recipients);
    const isMany = this.#recipientParts > 0;
    const total = this.#recipientParts * partSize + this.#recipients.length;
    const recipients = isMany ? [] : hasAdded ? this.#recipients : message.recipients;
    try {
      if (this.#hasParts) await this.#flushAll(isMany);
      await this.#commit({
        message: recipients === message.recipients ? message : { ...message, recipients },
        content: { chunks: this.#parts > 0 ? undefined : this.#chunks, bytes: this.#bytes },
        recipientParts: isMany ? { total, partSize } : undefined,
        hasParts: this.#hasParts,
      });
    } catch (error) {
      // its parts would take room until the next start
      this.abort();
      throw error;
    }
  }

  async #flushAll(hasManyRecipients: boolean): Promise<void> {
    if (hasManyRecipients) this.#flushRecipients();
    if (this.#parts > 0 && this.#gathered > 0) this.#flushPart();
    await Promise.all(this.#pending);
    if (this.#failed !== undefined) throw this.#failed;
  }

  abort(): void {
    this.#chunks = [];
    this.#recipients = [];
    if (!this.#hasParts) return;
    // what can't be removed now is swept at the next start
    void this.#writer.run({ kind: 'gone', serial: this.#serial, parts: 0, mayHaveSites: false }).catch(() => undefined);
  }
}

/** A copy in memory of its own, which can be handed to the writer thread without copying again. */
export function ownBuffer(chunks: readonly Buffer[], bytes: number): Buffer {
  const out = Buffer.allocUnsafeSlow(bytes);
  copyChunks(chunks, out);
  return out;
}

function copyChunks(chunks: readonly Buffer[], out: Buffer): void {
  let at = 0;
  for (const chunk of chunks) at += chunk.copy(out, at);
}
