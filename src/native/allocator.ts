/** Memory outside the JavaScript heap. */
import { koffi } from './koffi.ts';

/** malloc_trim(3): what was freed goes back to the system, also from between blocks in use. Takes a few milliseconds. */
export function trimAllocator(): void {
  koffi().load('libc.so.6').func('int malloc_trim(size_t pad)')(0);
}
