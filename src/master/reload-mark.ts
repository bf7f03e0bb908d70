/**
 * How the last reload ended, for the `postfix reload` that waits for it: the pid file has the time, and a file beside it what
 * was refused.
 */
import { readFileSync, readlinkSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import type { PidDirectory } from './pid-directory.ts';
import { pidFilePath } from './pid-file.ts';

/** Said where the reasons could not be written. */
const linkText = 'reload refused, see the log';

function refusalPath(queueDirectory: string): string {
  return `${queueDirectory}/pid/reload.refused`;
}

/** `refused`: what the log was told; empty when the new configuration is in force. */
export function markReloaded(directory: PidDirectory, refused: readonly string[]): void {
  const now = new Date();
  try {
    removeRefusal(directory);
    if (refused.length > 0) writeRefusal(directory.path('reload.refused'), refused);
  } catch {
    // a disk without any room, say: the log has it
  }
  try {
    utimesSync(directory.path('master.pid'), now, now);
  } catch {
    // the system is being stopped: nobody waits any more
  }
}

function writeRefusal(path: string, refused: readonly string[]): void {
  try {
    writeFileSync(path, JSON.stringify(refused), { flag: 'wx', mode: 0o600 });
  } catch {
    // a link needs no descriptor, which may be what is missing, and no block of a full disk
    rmSync(path, { force: true });
    symlinkSync(linkText, path);
  }
}

/** When the running supervisor has started or last reloaded, in ms; undefined when it is gone. */
export function lastReload(queueDirectory: string): number | undefined {
  try {
    return statSync(pidFilePath(queueDirectory)).mtimeMs;
  } catch {
    return undefined; // no file: nothing runs
  }
}

/** What the last reload was refused for; empty when it was not. */
export function reloadRefusal(queueDirectory: string): readonly string[] {
  try {
    if (isLink(refusalPath(queueDirectory))) return [linkText];
    const value: unknown = JSON.parse(readFileSync(refusalPath(queueDirectory), 'utf8'));
    return Array.isArray(value) ? value.map(String) : [];
  } catch {
    return []; // no file: it was not
  }
}

function isLink(path: string): boolean {
  try {
    return readlinkSync(path) === linkText;
  } catch {
    return false; // a file, or none
  }
}

export function removeRefusal(directory: PidDirectory): void {
  rmSync(directory.path('reload.refused'), { force: true });
}
