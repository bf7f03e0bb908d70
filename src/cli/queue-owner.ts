/** Who works on the queue. Its directories are mail_owner's, who could put links there: root would be led anywhere. postsuper(1) */
import { ConfigError, mailOwner, type Settings } from '#config';
import type { CliIo } from './io.ts';

/** Root is mail_owner from now on, others stay who they are; a text says why that can't be. */
export async function becomeQueueOwner(
  settings: Settings,
  { become }: Pick<CliIo, 'become'>,
): Promise<string | undefined> {
  if (become === undefined) return undefined;
  try {
    const owner = mailOwner(settings);
    if (owner !== undefined) await become(owner);
    return undefined;
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.join('; ');
    throw error;
  }
}
