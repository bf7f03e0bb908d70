/** Memory outside the JavaScript heap. */
import { koffi } from './koffi.ts';

let call: (() => void) | undefined;

/** Bound once: what koffi binds stays in memory. */
function trimCall(): NonNullable<typeof call> {
  if (call !== undefined) return call;
  const trim = koffi().load('libc.so.6').func('int malloc_trim(size_t pad)');
  call = () => void trim(0);
  return call;
}

/** malloc_trim(3): what was freed goes back to the system, also from between blocks in use. Takes a few milliseconds. */
export function trimAllocator(): void {
  trimCall()();
}
