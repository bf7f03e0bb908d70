/** newaliases(1): sendmail(1) in the mode of -bi. */
import type { CliIo } from './io.ts';
import { runAs } from './sendmail.ts';

export function run(args: readonly string[], io: CliIo): Promise<number> {
  return runAs({ name: 'newaliases', mode: 'newaliases' }, args, io);
}
