/** newaliases(1): makes the databases of alias_database anew; those named by `sendmail -oA` instead, if any. */
import { ConfigError, findConfigDirectory, openSettings } from '#config';
import type { CliIo } from './io.ts';
import { run as postalias } from './postalias.ts';

function databases(io: CliIo): readonly string[] {
  return openSettings(findConfigDirectory(undefined, io.env), { mainOnly: true }).settings.list('alias_database');
}

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const named = args.filter((word) => !word.startsWith('-'));
  try {
    const maps = named.length > 0 ? named : databases(io);
    return maps.length === 0 ? 0 : await postalias(['--', ...maps], io);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    io.stderr(`newaliases: fatal: ${error.message}\n`);
    return 1;
  }
}
