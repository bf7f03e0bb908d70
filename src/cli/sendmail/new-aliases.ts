/** `newaliases`, `sendmail -bi`: makes the databases of alias_database anew, or the one that -oA names. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { chdir } from 'node:process';
import type { Settings } from '#config';
import type { CliIo } from '../io.ts';
import { run as postalias } from '../postalias.ts';

export async function makeAliases(named: string, directory: string, settings: Settings, io: CliIo): Promise<number> {
  const maps = named === '' ? settings.list('alias_database') : [named];
  // sendmail(1) works in the queue directory: that is where names without a path are looked for
  const queueDirectory = settings.string('queue_directory');
  const configDirectory = resolve(directory);
  if (existsSync(queueDirectory)) chdir(queueDirectory);
  return maps.length === 0 ? 0 : postalias(['-c', configDirectory, '--', ...maps], io);
}
