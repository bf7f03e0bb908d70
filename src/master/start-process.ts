/** Starting processes where that can fail: descriptors, memory or processes may be used up for a moment. fork(2) */
import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { thrownText } from '#native';

/**
 * Gives the process; undefined when there is none, and then `onFailure` hears the reason. An error after that is no end
 * of a process: it is ignored.
 */
export function startProcess(
  [program = '', ...args]: readonly string[],
  options: SpawnOptions,
  onFailure: (reason: string) => void,
): ChildProcess | undefined {
  let child: ChildProcess;
  try {
    child = spawn(program, args, options);
  } catch (error) {
    onFailure(thrownText(error));
    return undefined;
  }
  if (child.pid === undefined) {
    // the error comes later, and where descriptors are used up the child has no streams
    child.once('error', (error) => onFailure(error.message));
    return undefined;
  }
  child.on('error', () => undefined);
  return child;
}
