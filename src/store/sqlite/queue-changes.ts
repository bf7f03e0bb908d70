/** Changes that commands ask for, of many messages at once. postsuper(1), postqueue(1) */
import type { MessageSelector } from '../queue-store.ts';
import type { Operation } from './operations.ts';
import type { MessageName } from './reader.ts';
import type { StoredMessages } from './stored-messages.ts';
import type { WriterClient } from './writer-client.ts';

export class QueueChanges {
  readonly #writer: WriterClient;
  readonly #stored: StoredMessages;

  constructor(writer: WriterClient, stored: StoredMessages) {
    this.#writer = writer;
    this.#stored = stored;
  }

  /** Deferred messages are due at `now`: all, or those for a site. Gives how many. */
  async makeDue(now: number, site: string | undefined): Promise<number> {
    const names = site === undefined ? this.#stored.names({ queues: ['deferred'] }) : this.#stored.waitingFor(site);
    return (await this.#changeAll(names, (serials) => ({ kind: 'makeDue', now, serials }))).length;
  }

  /** Gives the queue IDs of those that were changed. */
  change(
    kind: 'remove' | 'hold' | 'release' | 'requeue' | 'expire',
    selector: MessageSelector,
  ): Promise<readonly string[]> {
    return this.#changeAll(this.#stored.names(selector), (serials) => ({ kind, serials }));
  }

  /** A transaction for some at a time: a long queue holds up nobody's commit. */
  async #changeAll(
    names: AsyncIterable<readonly MessageName[]>,
    operationOn: (serials: readonly number[]) => Operation,
  ): Promise<readonly string[]> {
    const changed: string[] = [];
    for await (const some of names) {
      const ids = new Map(some.map(({ serial, id }) => [serial, id]));
      for (const serial of await this.#writer.run(operationOn([...ids.keys()]))) changed.push(ids.get(serial) ?? '');
    }
    return changed;
  }
}
