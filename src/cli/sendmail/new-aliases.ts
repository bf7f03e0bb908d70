/** `newaliases`, `sendmail -bi`: makes the databases of alias_database anew, or the one that -oA names. */
import type { Settings } from '#config';
import type { CliIo } from '../io.ts';
import { run as postalias } from '../postalias.ts';

export async function makeAliases(named: string, directory: string, settings: Settings, io: CliIo): Promise<number> {
  const maps = named === '' ? settings.list('alias_database') : [named];
  return maps.length === 0 ? 0 : postalias(['-c', directory, '--', ...maps], io);
}
