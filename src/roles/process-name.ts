/** What ps(1), ss(8) and monitoring call a process: without a name of its own each would be `MainThread`. */
import { writeFileSync } from 'node:fs';

/** At most 15 bytes count. proc(5) */
export function nameProcess(name: string): void {
  try {
    writeFileSync('/proc/self/comm', name);
  } catch {
    // without /proc it keeps the name of the engine
  }
}
