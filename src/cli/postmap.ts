/** postmap(1): makes, changes and asks lookup tables. */
import { readMapSource } from '#tables';
import type { CliIo } from './io.ts';
import type { MapCommandKind } from './maps/kind.ts';
import { runMapCommand } from './maps/run.ts';

const postmap: MapCommandKind = {
  name: 'postmap',
  usage: 'postmap [-bfFhimnNoprsuUvw] [-c config_dir] [-d key] [-q key] [map_type:]file...',
  flags: 'bfFhijmnNoprsuUvw',
  separator: '\t',
  readSource: readMapSource,
  ownEntries: () => [],
};

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  return runMapCommand(postmap, args, io);
}
