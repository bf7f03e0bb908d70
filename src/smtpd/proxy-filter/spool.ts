/** Content that waits for a filter: in memory while it is short, then in a file that has no name any more. */
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import type { MaybePromise } from '#message';

/** What one message may take in memory. */
const memoryBytes = 1 << 16;

export class Spool {
  readonly #directory: string;
  #pieces: Buffer[] = [];
  #waitingBytes = 0;
  #file: FileHandle | undefined;
  #fileBytes = 0;
  #isClosed = false;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Rejects when the file can't be written. */
  write(bytes: Buffer): MaybePromise<void> {
    // the reader's buffer may be far larger than the piece of it, and would be kept whole
    this.#pieces.push(Buffer.from(bytes));
    this.#waitingBytes += bytes.length;
    return this.#waitingBytes > memoryBytes ? this.#flush() : undefined;
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#waitingBytes = 0;
    this.#file ??= await this.#create();
    let from = 0;
    while (from < bytes.length) {
      const { bytesWritten } = await this.#file.write(bytes, from, bytes.length - from, this.#fileBytes);
      from += bytesWritten;
      this.#fileBytes += bytesWritten;
    }
  }

  async #create(): Promise<FileHandle> {
    const path = `${this.#directory}/replay.${randomUUID()}`;
    const file = await open(path, 'wx+', 0o600);
    await unlink(path);
    return file;
  }

  /** What was written, from the beginning. Rejects when the file can't be read. */
  async *read(): AsyncGenerator<Buffer> {
    let at = 0;
    while (this.#file !== undefined && at < this.#fileBytes) {
      const { bytesRead, buffer } = await this.#file.read(Buffer.allocUnsafe(memoryBytes), 0, memoryBytes, at);
      if (bytesRead === 0) throw new Error('the file is shorter than what was written');
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
    yield* this.#pieces;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#pieces = [];
    await this.#file?.close();
  }
}
