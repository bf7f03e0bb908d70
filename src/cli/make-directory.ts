/** Makes directories for what is kept: a queue, data, the quick start. mkdir(2) */
import { closeSync, mkdirSync, openSync, readdirSync, statSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';

/** The directory and those above it; throws what mkdir(2) says. Node's own way never ends where nothing can be made, as below /proc. */
export function makeDirectory(path: string, mode?: number): void {
  const made = (): void => mkdirSync(path, mode);
  try {
    made();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST' && statSync(path).isDirectory()) return;
    const above = dirname(path);
    if (code !== 'ENOENT' || above === path || isThere(above)) throw error;
    makeDirectory(above);
    made();
  }
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Why a directory is no place to keep things in; undefined when it is one. */
export function unfitness(path: string): string | undefined {
  try {
    makeDirectory(path);
    // its owner and mode are about to change; an empty one may be a file system of its own
    const isShared = (statSync(path).mode & 0o1000) !== 0 && readdirSync(path).length > 0;
    if (path === '/' || isShared) return 'it is for others too';
    const probe = `${path}/.posthorn-${process.pid}`;
    closeSync(openSync(probe, 'wx', 0o600));
    unlinkSync(probe);
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return `no files can be made there: ${error.message}`;
  }
}
