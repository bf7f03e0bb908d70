/** mailq(1): postqueue -p, with the name that sendmail(1) has for the configuration directory. */
import type { CliIo } from './io.ts';
import { run as postqueue } from './postqueue.ts';

export function run(args: readonly string[], io: CliIo): Promise<number> {
  return postqueue([...args.map((arg) => arg.replace(/^-C/, '-c')), '-p'], io);
}
