/**
 * Messages under this process's lease that it can't work on: they go back to a queue. While that can't be written either
 * they are remembered, as nobody else would take them before this process ends.
 */
import type { QueueName } from '#message';
import { thrownText } from '#native';
import { queueNumbers } from './schema.ts';
import type { WriterClient } from './writer-client.ts';

export interface LeaseReturn {
  readonly serial: number;
  readonly queue: QueueName;
  /** ms since the epoch. */
  readonly dueAt: number;
}

export class LeaseReturns {
  readonly #writer: Pick<WriterClient, 'run'>;
  readonly #warn: (text: string) => void;
  #owed: LeaseReturn[] = [];

  constructor(writer: Pick<WriterClient, 'run'>, warn: (text: string) => void) {
    this.#writer = writer;
    this.#warn = warn;
  }

  /** Never rejects. */
  async give(holder: number, leases: readonly LeaseReturn[]): Promise<void> {
    for (const lease of leases) {
      const { serial, queue, dueAt: due } = lease;
      try {
        await this.#writer.run({ kind: 'returnLease', serial, queue: queueNumbers[queue], due, holder });
      } catch (error) {
        this.#owed.push(lease);
        this.#warn(`a message can't be put back now: ${thrownText(error)}`);
      }
    }
  }

  /** Tries again what could not be written. */
  async retry(holder: number): Promise<void> {
    if (this.#owed.length > 0) await this.give(holder, this.#owed.splice(0));
  }
}
