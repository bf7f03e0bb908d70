/** Pipes for programs that a process starts. pipe(2) */
import { koffi } from './koffi.ts';

export interface PipeEnds {
  readonly readEnd: number;
  readonly writeEnd: number;
}

const O_CLOEXEC = 0o2_000_000;

let call: ((ends: Buffer, flags: number) => number) | undefined;

/** Bound once: what koffi binds stays in memory. */
function pipeCall(): NonNullable<typeof call> {
  if (call !== undefined) return call;
  const pipe2 = koffi().load('libc.so.6').func('int pipe2(void *ends, int flags)');
  call = (ends, flags) => Number(pipe2(ends, flags));
  return call;
}

/**
 * Two descriptors that no program inherits by itself; undefined when none are left. Node makes socket pairs, which a
 * program can't open by names like /dev/stdin and /dev/stderr.
 */
export function openPipe(): PipeEnds | undefined {
  const ends = Buffer.alloc(8);
  if (pipeCall()(ends, O_CLOEXEC) !== 0) return undefined;
  return { readEnd: ends.readInt32LE(0), writeEnd: ends.readInt32LE(4) };
}
