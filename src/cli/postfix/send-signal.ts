/** Signals to a mail system that may end between the look for it and the signal. kill(2) */
import { errnoOf } from '#native';

/** False when there is no such process, or no such group for a negative number. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error;
    return false;
  }
}
