/** `posthorn compile`: code is put together ahead, as the launchers do themselves when sources have changed. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { installation } from './installation.ts';
import type { CliIo } from './io.ts';

/** Exit status: 1 when it failed, and the compiler or the shell has said why. */
export function run(io: CliIo): number {
  const { status, error } = spawnSync('sh', [join(installation, 'scripts/compile.sh')], { stdio: 'inherit' });
  if (error !== undefined) io.stderr(`posthorn: fatal: scripts/compile.sh: ${error.message}\n`);
  return status === 0 ? 0 : 1;
}
