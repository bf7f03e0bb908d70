/**
 * Code is compiled ahead: what the engine makes of a source file is kept beside the program. A process that compiles its
 * code itself starts a second later, and is larger by 15 to 25 MB for good.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import { join } from 'node:path';
import { delivererEngineOptions, mailEngineOptions, masterEngineOptions } from '#master';
import type { CliIo } from './io.ts';

/** What is kept holds for one set of engine options only. */
const engineOptions: Readonly<Record<string, readonly string[]>> = {
  commands: [],
  master: masterEngineOptions,
  mail: mailEngineOptions,
  deliverer: delivererEngineOptions,
};

const sources = join(import.meta.dirname, '..');

/** `posthorn compile`. Exit status: 1 when what is compiled can't be kept. */
export async function run(io: CliIo): Promise<number> {
  if (getCompileCacheDir() === undefined) {
    io.stderr('posthorn: warning: compiled code can not be kept: node_modules is not writable, nor is ~/.cache\n');
    return 1;
  }
  return (await compile(Object.keys(engineOptions))) ? 0 : 1;
}

/** Compiles what a running system consists of, unless that was done since the sources came. Never rejects. */
export async function compileProcesses(): Promise<void> {
  try {
    if (isCompiled() === false) await compile(Object.keys(engineOptions).filter((kind) => kind !== 'commands'));
  } catch {
    // no room, or no process to be had: each compiles its own
  }
}

/** Loads the code in processes of its kinds, beside each other; false when one of them failed. */
async function compile(kinds: readonly string[]): Promise<boolean> {
  const statuses = await Promise.all(kinds.map(loadInProcess));
  if (statuses.some((status) => status !== 0)) return false;
  const mark = markPath();
  if (mark !== undefined) writeFileSync(mark, '');
  return true;
}

async function loadInProcess(kind: string): Promise<unknown> {
  const options = engineOptions[kind] ?? [];
  const args = [...options, ...process.execArgv, process.argv[1] ?? '', 'load', kind];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [status]: unknown[] = await once(child, 'exit');
  return status;
}

/** Its time of change is that of the compilation. */
function markPath(): string | undefined {
  const directory = getCompileCacheDir();
  return directory === undefined ? undefined : join(directory, 'processes-compiled');
}

/** Undefined where nothing is kept. New sources change their folder: version control and npm replace files. */
function isCompiled(): boolean | undefined {
  const mark = markPath();
  if (mark === undefined) return undefined;
  const at = statSync(mark, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const folders = readdirSync(sources, { recursive: true, withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [sources, ...folders.map(({ parentPath, name }) => join(parentPath, name))].every(
    (folder) => statSync(folder).mtimeMs < at,
  );
}

/** Every file of the commands but the entry, which would run one. */
export function commandFiles(): readonly URL[] {
  return readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && path !== 'main.ts')
    .map((path) => new URL(path, import.meta.url));
}
