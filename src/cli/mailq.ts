/** mailq(1): postqueue -p. */
import type { CliIo } from './io.ts';
import { run as postqueue } from './postqueue.ts';

export function run(args: readonly string[], io: CliIo): Promise<number> {
  return postqueue([...args, '-p'], io);
}
