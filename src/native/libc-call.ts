/** Functions of the C library that take numbers and memory, and give a number. */
import { koffi } from './koffi.ts';

type Argument = number | Buffer;

/** @param signature as C declares it. Bound at the first call, and once: what koffi binds stays in memory. */
export function libcCall<Arguments extends readonly Argument[]>(signature: string): (...args: Arguments) => number {
  let bound: ((...args: Arguments) => unknown) | undefined;
  return (...args) => {
    bound ??= koffi().load('libc.so.6').func(signature);
    return Number(bound(...args));
  };
}
