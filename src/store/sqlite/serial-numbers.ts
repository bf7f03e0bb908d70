/** Serial numbers of new messages: taken from the database in blocks, so that a message costs no question. */
import { StoreError } from '../queue-store.ts';
import { serialBlock } from './schema.ts';
import type { WriterClient } from './writer-client.ts';

/** When a block could not be fetched. */
const numbersBetweenTries = 1024;

export class SerialNumbers {
  readonly #writer: Pick<WriterClient, 'run'>;
  readonly #warn: (text: string) => void;
  #next = 0;
  #end = 0;
  #isReserving = false;

  constructor(writer: Pick<WriterClient, 'run'>, warn: (text: string) => void) {
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
    const left = this.#end - this.#next;
    if (left <= serialBlock / 2 && left % numbersBetweenTries === 0) this.#reserveAhead();
    if (left === 0) throw new StoreError('out of serial numbers');
    const serial = this.#next;
    this.#next += 1;
    return serial;
  }

  #reserveAhead(): void {
    if (this.#isReserving) return;
    this.#isReserving = true;
    this.reserve()
      .catch((error: unknown) => this.#warn(`cannot reserve serial numbers: ${String(error)}`))
      .finally(() => {
        this.#isReserving = false;
      });
  }

  /** Gives back what was not used. */
  async returnRest(): Promise<void> {
    await this.#writer.run({ kind: 'returnSerials', used: this.#next, end: this.#end });
  }
}
