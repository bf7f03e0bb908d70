/** newaliases(1): makes the databases of alias_database anew; those named by `sendmail -oA` instead, if any. */
import { ConfigError, findConfigDirectory, openSettings } from '#config';
import { lastValue, parseOptions } from './getopt.ts';
import type { CliIo } from './io.ts';
import { run as postalias } from './postalias.ts';

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const fatal = (text: string): number => {
    io.stderr(`newaliases: fatal: ${text}\n`);
    return 1;
  };
  // the options of sendmail(1) that mean something here
  const parsed = parseOptions(args, 'C:v');
  if (parsed.kind === 'invalid') return fatal(`${parsed.problem}; usage: newaliases [-C config_dir] [-v]`);
  try {
    const directory = findConfigDirectory(lastValue(parsed.options, 'C'), io.env);
    const maps =
      parsed.operands.length > 0
        ? parsed.operands
        : openSettings(directory, { mainOnly: true }).settings.list('alias_database');
    return maps.length === 0 ? 0 : await postalias(['-c', directory, '--', ...maps], io);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return fatal(error.message);
  }
}
