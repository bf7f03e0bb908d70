/** What a process is doing. proc(5) */
import { readFileSync } from 'node:fs';

/** One letter, as ps(1) shows it: `T` for stopped, `Z` for ended and not yet taken notice of. '': there is no such process. */
export function processState(pid: number): string {
  try {
    // the name before it may hold anything
    return readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .charAt(0);
  } catch {
    return '';
  }
}
