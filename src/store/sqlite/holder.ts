/** Who holds leases: processes of this machine, by pid and the moment they started. */
import { readFileSync } from 'node:fs';

/** Errors that say nothing of a process: descriptors or memory are used up. */
const exhaustion: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

/** Boot and start time of a process in clock ticks since then; '' when it has ended, reaped or not. Throws when that can't be told. proc(5) */
export function processStart(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (['Z', 'X'].includes(fields[0] ?? '')) return '';
    const ticks = fields[19] ?? '';
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()}/${ticks}`;
  } catch (error) {
    if (error instanceof Error && 'code' in error && exhaustion.has(error.code)) throw error;
    return ''; // no such process, or none of ours
  }
}

/** Throws when that can't be told. */
export function isLiving(holder: { readonly pid: number; readonly started: string }): boolean {
  return holder.started !== '' && processStart(holder.pid) === holder.started;
}
