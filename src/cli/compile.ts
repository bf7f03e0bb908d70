/**
 * `posthorn compile`: has the engine compile the code of every command and process, and keep what it made of it. A process
 * that compiles its code itself starts a second later, and is larger by 15 to 25 MB for good. `npm ci` runs it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import { delivererEngineOptions, mailEngineOptions, masterEngineOptions } from '#master';
import type { CliIo } from './io.ts';

/** What is kept holds for one set of engine options only. */
const engineOptions: Readonly<Record<string, readonly string[]>> = {
  commands: [],
  master: masterEngineOptions,
  mail: mailEngineOptions,
  deliverer: delivererEngineOptions,
};

/** Exit status: 1 when what is compiled can't be kept. */
export async function run(io: CliIo): Promise<number> {
  if (getCompileCacheDir() === undefined) {
    io.stderr('posthorn: warning: compiled code can not be kept: node_modules is not writable, nor is ~/.cache\n');
    return 1;
  }
  const statuses = await Promise.all(Object.keys(engineOptions).map(loadInProcess));
  return statuses.every((status) => status === 0) ? 0 : 1;
}

async function loadInProcess(kind: string): Promise<unknown> {
  const options = engineOptions[kind] ?? [];
  const args = [...options, ...process.execArgv, process.argv[1] ?? '', 'load', kind];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [status]: unknown[] = await once(child, 'exit');
  return status;
}

/** Every file of the commands but the entry, which would run one. */
export function commandFiles(): readonly URL[] {
  return readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && path !== 'main.ts')
    .map((path) => new URL(path, import.meta.url));
}
