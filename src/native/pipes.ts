/** Pipes for programs that a process starts. pipe(2) */
import { libcCall } from './libc-call.ts';

export interface PipeEnds {
  readonly readEnd: number;
  readonly writeEnd: number;
}

const O_CLOEXEC = 0o2_000_000;

const pipe2 = libcCall<[ends: Buffer, flags: number]>('int pipe2(void *ends, int flags)');

/**
 * Two descriptors that no program inherits by itself; undefined when none are left. Node makes socket pairs, which a
 * program can't open by names like /dev/stdin and /dev/stderr.
 */
export function openPipe(): PipeEnds | undefined {
  const ends = Buffer.alloc(8);
  if (pipe2(ends, O_CLOEXEC) !== 0) return undefined;
  return { readEnd: ends.readInt32LE(0), writeEnd: ends.readInt32LE(4) };
}
