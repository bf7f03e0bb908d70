/** Serial numbers of new messages: taken from the database in blocks, so that a message costs no question. */
import { StoreError } from '../queue-store.ts';
import { serialBlock } from './schema.ts';
import type { WriterClient } from './writer-client.ts';

export class SerialNumbers {
  readonly #writer: WriterClient;
  readonly #warn: (text: string) => void;
  #next = 0;
  #end = 0;

  constructor(writer: WriterClient, warn: (text: string) => void) {
    this.#writer = writer;
    this.#warn = warn;
  }

  /** Takes a block. Throws StoreError when there is none. */
  async reserve(): Promise<void> {
    const [end] = await this.#writer.run({ kind: 'reserveSerials', count: serialBlock });
    if (end === undefined) throw new StoreError('no serial numbers');
    this.#next = end - serialBlock;
    this.#end = end;
  }

  /** A number that nothing else has; the next block is fetched in good time. Throws StoreError when all are used up. */
  take(): number {
    if (this.#next >= this.#end) throw new StoreError('out of serial numbers');
    if (this.#end - this.#next === serialBlock / 2)
      this.reserve().catch((error: unknown) => this.#warn(`cannot reserve serial numbers: ${String(error)}`));
    const serial = this.#next;
    this.#next += 1;
    return serial;
  }

  /** Gives back what was not used. */
  async returnRest(): Promise<void> {
    await this.#writer.run({ kind: 'returnSerials', used: this.#next, end: this.#end });
  }
}
