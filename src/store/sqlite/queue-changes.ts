/** Changes that commands ask for, of many messages at once. postsuper(1), postqueue(1) */
import type { MessageSelector } from '../queue-store.ts';
import type { Operation } from './operations.ts';
import type { StoredMessages } from './stored-messages.ts';
import type { WriterClient } from './writer-client.ts';

/** Messages changed in one transaction. */
const batchSize = 1000;

export class QueueChanges {
  readonly #writer: WriterClient;
  readonly #stored: StoredMessages;

  constructor(writer: WriterClient, stored: StoredMessages) {
    this.#writer = writer;
    this.#stored = stored;
  }

  /** Deferred messages are due at `now`: all, some, or those for a domain. Gives how many. */
  async makeDue(
    now: number,
    { recipientDomain, queueIds }: { readonly recipientDomain?: string; readonly queueIds?: readonly string[] },
  ): Promise<number> {
    const serials =
      recipientDomain === undefined
        ? (await this.#stored.rows({ queues: ['deferred'], ...(queueIds && { queueIds }) })).map(({ serial }) => serial)
        : await this.#stored.waitingFor(recipientDomain);
    return (await this.#inBatches(serials, (batch) => ({ kind: 'makeDue', now, serials: batch }))).length;
  }

  /** Gives the queue IDs of those that were changed. */
  async change(
    kind: 'remove' | 'hold' | 'release' | 'requeue' | 'expire',
    selector: MessageSelector,
  ): Promise<readonly string[]> {
    const rows = await this.#stored.rows(selector);
    const ids = new Map(rows.map(({ serial, id }) => [serial, id]));
    const changed = await this.#inBatches([...ids.keys()], (batch) => ({ kind, serials: batch }));
    return changed.flatMap((serial) => ids.get(serial) ?? []);
  }

  /** A transaction for each batch: a long queue holds up nobody's commit. */
  async #inBatches(
    serials: readonly number[],
    operationOn: (batch: readonly number[]) => Operation,
  ): Promise<readonly number[]> {
    const changed: number[] = [];
    for (let at = 0; at < serials.length; at += batchSize)
      changed.push(...(await this.#writer.run(operationOn(serials.slice(at, at + batchSize)))));
    return changed;
  }
}
