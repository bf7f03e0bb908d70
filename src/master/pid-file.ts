/** The pid file, `$queue_directory/pid/master.pid`: who is running. master(8) */
import { readFileSync, rmSync } from 'node:fs';
import type { PidDirectory } from './pid-directory.ts';
import { processState } from './process-state.ts';

export function pidFilePath(queueDirectory: string): string {
  return `${queueDirectory}/pid/master.pid`;
}

/** The pid of the running supervisor; undefined when there is none. A stale file of another program does not count. */
export function runningMaster(queueDirectory: string): number | undefined {
  let pid: number;
  try {
    pid = Number.parseInt(readFileSync(pidFilePath(queueDirectory), 'latin1').trim(), 10);
  } catch {
    return undefined; // no file: nothing runs
  }
  return Number.isInteger(pid) && pid > 0 && isPosthorn(pid, queueDirectory) ? pid : undefined;
}

function isPosthorn(pid: number, queueDirectory: string): boolean {
  if (!commandLine(pid).includes(queueDirectory) && !isAllInOne(pid)) return false;
  return !['', 'Z'].includes(processState(pid));
}

/** Empty when the process is gone. */
function commandLine(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
  } catch {
    return []; // there is no such process
  }
}

/** Whether it is `posthorn quick-start`, which has no supervisor and no reload. */
export function isAllInOne(pid: number): boolean {
  const words = commandLine(pid);
  return words[words.indexOf('posthorn') + 1] === 'quick-start';
}

/** Only who holds its lock may do that: it would be another's file. */
export function removePidFile(directory: PidDirectory): void {
  rmSync(directory.path('master.pid'), { force: true });
}
