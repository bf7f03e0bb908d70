/** The numbers of signals, by which tools and logs know them. signal(7) */
import { constants } from 'node:os';

export function signalNumberOf(signal: NodeJS.Signals): number {
  return constants.signals[signal];
}
