/** The messages of the queue, for commands that show them. */
import { existsSync } from 'node:fs';
import type { Settings } from '#config';
import type { CliIo } from './io.ts';
import { becomeQueueOwner, ownsQueue } from './queue-owner.ts';
import { listQueue, type QueueEntry, type Refusal } from './control-client.ts';

export type QueueReading =
  | {
      readonly kind: 'read';
      readonly messages: AsyncIterable<QueueEntry>;
      readonly isUp: boolean;
      readonly down: string;
    }
  /** `isTold`: the running system has it in its log. */
  | { readonly kind: 'failed'; readonly reason: string; readonly isTold: boolean };

const reasonDown = ({ reason }: Refusal): string => `(Connect to the Postfix showq service: ${reason})`;

/** From the running system, or from the store itself when it is down and we may open it; else why not. Reading messages may throw. */
export async function readQueue(settings: Settings, io: CliIo, warn: (text: string) => void): Promise<QueueReading> {
  const queueDirectory = settings.string('queue_directory');
  const answer = await listQueue(queueDirectory);
  if (answer.kind === 'ok') return { kind: 'read', messages: answer.messages, isUp: true, down: '' };
  if (answer.kind === 'failed') return { ...answer, isTold: true };
  const down = reasonDown(answer);
  // to others neither the queue nor maildrop tells anything
  if (!existsSync(queueDirectory) || !ownsQueue(queueDirectory, io.uid)) {
    return { kind: 'failed', reason: `Queue report unavailable - mail system is down ${down}`, isTold: false };
  }
  const problem = await becomeQueueOwner(settings, io);
  if (problem !== undefined) return { kind: 'failed', reason: problem, isTold: false };
  return { kind: 'read', messages: readStore(queueDirectory, warn), isUp: false, down };
}

async function* readStore(directory: string, warn: (text: string) => void): AsyncGenerator<QueueEntry, void> {
  if (!existsSync(`${directory}/posthorn.db`)) return;
  const { listedPart, openStore } = await import('#store');
  const store = await openStore({ directory, longQueueIds: false, warn });
  try {
    for await (const message of store.list()) {
      const { isInParts } = message.recipients;
      const parts = [...message.recipients.all()].map((part) => listedPart(part, isInParts, undefined));
      yield { ...message, recipients: parts.flat() };
    }
  } finally {
    await store.close();
  }
}
