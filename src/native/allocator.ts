/** Memory outside the JavaScript heap. */
import { libcCall } from './libc-call.ts';

const mallocTrim = libcCall<[pad: number]>('int malloc_trim(size_t pad)');

/** malloc_trim(3): what was freed goes back to the system, also from between blocks in use. Takes a few milliseconds. */
export function trimAllocator(): void {
  mallocTrim(0);
}
