/** Content on its way into the store: small content is gathered, large content goes to the writer thread in parts. */
import type { MessageWriter, NewMessage } from '../queue-store.ts';
import type { WriterClient } from './writer-client.ts';

/** Content up to this size stays in memory and is written with its message. */
export const maxInMemory = 256 * 1024;
const maxBytesInFlight = 4 * 1024 * 1024;

export interface GatheredContent {
  /** Undefined: written in parts already. */
  readonly chunks: readonly Buffer[] | undefined;
  readonly bytes: number;
}

export class SqliteMessageWriter implements MessageWriter {
  readonly queueId: string;
  readonly #serial: number;
  readonly #holder: number;
  readonly #writer: WriterClient;
  readonly #commit: (message: NewMessage, content: GatheredContent) => Promise<void>;
  #chunks: Buffer[] = [];
  #gathered = 0;
  #bytes = 0;
  #parts = 0;
  #inFlight = 0;
  #failed: Error | undefined;
  #pending: Promise<unknown>[] = [];

  constructor(
    { queueId, serial, holder }: { queueId: string; serial: number; holder: number },
    writer: WriterClient,
    commit: (message: NewMessage, content: GatheredContent) => Promise<void>,
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
    const length = data.length;
    this.#inFlight += length;
    this.#writer.garbage.add(length);
    this.#chunks = [];
    this.#gathered = 0;
    const part = this.#parts;
    this.#parts += 1;
    const written = this.#writer
      .run({ kind: 'part', serial: this.#serial, holder: this.#holder, part, data })
      .catch((error: unknown) => {
        this.#failed ??= error instanceof Error ? error : new Error(String(error));
      })
      .then(() => {
        this.#inFlight -= length;
        this.#pending = this.#pending.filter((other) => other !== written);
      });
    this.#pending.push(written);
  }

  async commit(message: NewMessage): Promise<void> {
    if (this.#parts === 0) return this.#commit(message, { chunks: this.#chunks, bytes: this.#bytes });
    if (this.#gathered > 0) this.#flushPart();
    await Promise.all(this.#pending);
    if (this.#failed !== undefined) {
      this.abort();
      throw this.#failed;
    }
    return this.#commit(message, { chunks: undefined, bytes: this.#bytes });
  }

  abort(): void {
    this.#chunks = [];
    if (this.#parts === 0) return;
    // what can't be removed now is swept at the next start
    void this.#writer.run({ kind: 'gone', serial: this.#serial, parts: 0 }).catch(() => undefined);
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
