/** Where commands write to: standard output, which is what they are asked for, and standard error, which isn't. */
import { writeSync } from 'node:fs';
import { bytesOf } from '#message';
import { systemErrorText } from './system-error.ts';

/** What a command was asked for can't be written. */
export class OutputError extends Error {}

/** Writes all of it, waiting where a pipe is full. */
function writeAll(fd: number, text: string | Uint8Array): void {
  let rest = typeof text === 'string' ? bytesOf(text) : text;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error) || error.code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/** Nobody reads any more: the command ends. A full disk fails it. */
export function writeOutput(text: string | Uint8Array): void {
  try {
    writeAll(1, text);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EPIPE') process.exit(0);
    throw new OutputError(`output write error: ${systemErrorText(error)}`, { cause: error });
  }
}

/**
 * What can't be said stays unsaid: work goes on, and its exit status counts. A program that closed the pipe too early
 * would otherwise take mail for sent that was refused.
 */
export function writeRemark(text: string): void {
  try {
    writeAll(2, text);
  } catch {
    // there is no other place to say it
  }
}
