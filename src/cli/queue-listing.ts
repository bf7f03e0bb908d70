/** The messages of the queue, for commands that show them. */
import { accessSync, constants, existsSync } from 'node:fs';
import type { Settings } from '#config';
import { openStore } from '#store';
import { askSystem, type ControlAnswer, type QueueEntry } from './control-client.ts';

export type QueueReading =
  | { readonly kind: 'read'; readonly messages: readonly QueueEntry[]; readonly isUp: boolean; readonly down: string }
  /** `isTold`: the running system has it in its log. */
  | { readonly kind: 'failed'; readonly reason: string; readonly isTold: boolean };

const reasonDown = ({ reason }: Extract<ControlAnswer, { kind: 'down' }>): string =>
  `(Connect to the Postfix showq service: ${reason})`;

/** From the running system, or from the store itself when it is down and we may open it; else why not. */
export async function readQueue(settings: Settings, warn: (text: string) => void): Promise<QueueReading> {
  const queueDirectory = settings.string('queue_directory');
  const answer = await askSystem(queueDirectory, 'public', { operation: 'list' });
  if (answer.kind === 'ok') return { kind: 'read', messages: answer.messages, isUp: true, down: '' };
  if (answer.kind === 'failed') return { ...answer, isTold: true };
  const down = reasonDown(answer);
  if (!mayChange(queueDirectory)) {
    return { kind: 'failed', reason: `Queue report unavailable - mail system is down ${down}`, isTold: false };
  }
  if (!existsSync(`${queueDirectory}/posthorn.db`)) return { kind: 'read', messages: [], isUp: false, down };
  const store = await openStore({ directory: queueDirectory, longQueueIds: false, warn });
  const messages: QueueEntry[] = [];
  for await (const message of store.list())
    messages.push({ ...message, recipients: [...message.recipients.all()].flat() });
  await store.close();
  return { kind: 'read', messages, isUp: false, down };
}

/** Root and the queue's owner: to others neither the queue nor maildrop tells anything. */
function mayChange(queueDirectory: string): boolean {
  try {
    accessSync(queueDirectory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
