/** The messages of the queue, for commands that show them. */
import { existsSync } from 'node:fs';
import type { Settings } from '#config';
import { openStore } from '#store';
import { askSystem, type QueueEntry } from './control-client.ts';

const mailIsDown = 'Queue report unavailable - mail system is down';

/** From the running system, or from the store itself when it is down and we may open it; else why not. */
export async function readQueue(
  settings: Settings,
  warn: (text: string) => void,
): Promise<readonly QueueEntry[] | string> {
  const queueDirectory = settings.string('queue_directory');
  const answer = await askSystem(queueDirectory, 'public', { operation: 'list' });
  if (answer.kind === 'ok') return answer.messages;
  if (answer.kind === 'failed') return answer.reason;
  if (!existsSync(`${queueDirectory}/posthorn.db`)) return [];
  try {
    const store = await openStore({ directory: queueDirectory, longQueueIds: false, warn });
    const messages: QueueEntry[] = [];
    for await (const message of store.list())
      messages.push({ ...message, recipients: [...message.recipients.all()].flat() });
    await store.close();
    return messages;
  } catch {
    return mailIsDown;
  }
}
