/** Who works on the queue. Its directories are mail_owner's, who could put links there: root would be led anywhere. postsuper(1) */
import { statSync } from 'node:fs';
import { ConfigError, mailOwner, type Settings } from '#config';
import type { CliIo } from './io.ts';

/** What is said to others. */
export const reserved = 'use of this command is reserved for the superuser';

/** Root, and whoever owns the queue; where there is none, root. */
export function ownsQueue(queueDirectory: string, uid: number): boolean {
  return uid === 0 || statSync(queueDirectory, { throwIfNoEntry: false })?.uid === uid;
}

/**
 * Root is mail_owner from now on, where the queue is that user's; a system that root runs as itself is root's. A text says
 * why it can't be.
 */
export async function becomeQueueOwner(
  settings: Settings,
  { become }: Pick<CliIo, 'become'>,
): Promise<string | undefined> {
  const queue = statSync(settings.string('queue_directory'), { throwIfNoEntry: false });
  if (become === undefined || queue === undefined || queue.uid === 0) return undefined;
  try {
    const owner = mailOwner(settings);
    if (owner?.uid === queue.uid) await become(owner);
    return undefined;
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.join('; ');
    throw error;
  }
}
