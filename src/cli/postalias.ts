/** postalias(1): makes, changes and asks alias databases. */
import { readAliasSource } from '#tables';
import type { CliIo } from './io.ts';
import type { MapCommandKind } from './maps/kind.ts';
import { runMapCommand } from './maps/run.ts';

const postalias: MapCommandKind = {
  name: 'postalias',
  usage: 'postalias [-Nfinoprsuvw] [-c config_dir] [-d key] [-q key] [map_type:]file...',
  flags: 'Nfijnoprsuvw',
  separator: ':\t',
  readSource: readAliasSource,
  // What Sendmail and NIS look for in an alias database that is complete.
  ownEntries: (myhostname) => [
    ['@', '@'],
    ['YP_LAST_MODIFIED', String(Math.floor(Date.now() / 1000)).padStart(10)],
    ['YP_MASTER_NAME', myhostname],
  ],
};

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  return runMapCommand(postalias, args, io);
}
