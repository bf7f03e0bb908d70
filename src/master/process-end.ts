/** How a process came to its end, in the words of master(8). */
import { signalNumberOf } from '#native';

/** `exit status 1`, `killed by signal 9`; `code` and `signal` as the `exit` event of a child process has them. */
export function describeEnd(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `exit status ${code ?? 0}` : `killed by signal ${signalNumberOf(signal)}`;
}
