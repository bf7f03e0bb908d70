/** Runs a command that a message is written to. pipe(8), local(8), "EXTERNAL COMMAND DELIVERY" */
import { once } from 'node:events';
import { accessSync, constants, statSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { longestTimerMs } from '#message';
import { errnoOf, errnoText, signalNumberOf } from '#native';
import { type CommandProcess, startCommand } from './command-process.ts';
import { type CommandText, programOf } from './command-words.ts';

export interface CommandRequest extends CommandText {
  /** Where it runs; '' for where the deliverer stands. */
  readonly directory: string;
  readonly limitMs: number;
}

export interface CommandEnd {
  readonly kind: 'ended';
  /** Exit status; undefined when a signal ended it. */
  readonly status: number | undefined;
  readonly signal: number;
  /** What it printed, bounded; line ends and tabs as spaces, other control characters as `_`. */
  readonly output: string;
  readonly timedOut: boolean;
  /** Why it could not be started; '' when it was. */
  readonly failure: string;
  /** The failure is part of the output, too: the process that was to become the command met it. */
  readonly isFailurePrinted: boolean;
}

const outputLimit = 4096;

/** No process could be made: descriptors, memory or processes are used up. */
const exhaustion: ReadonlySet<string> = new Set(['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM']);

/** Writes as fast as the command reads; it may stop reading at any time. Rejects when the content can't be read. */
async function feed(input: Writable, content: AsyncIterable<Buffer>): Promise<void> {
  const ended = once(input, 'close').catch(() => undefined);
  for await (const piece of content) {
    if (input.destroyed) return;
    if (!input.write(piece)) await Promise.race([once(input, 'drain').catch(() => undefined), ended]);
  }
  input.end();
}

/** Why commands can't run in a directory; undefined when they can. */
function directoryProblem(directory: string): string | undefined {
  if (directory === '') return undefined;
  try {
    if (!statSync(directory).isDirectory()) return 'Not a directory';
    accessSync(directory, constants.X_OK);
    return undefined;
  } catch (error) {
    return errnoText(error);
  }
}

const failedEnd = (failure: string, isFailurePrinted: boolean): CommandEnd => ({
  kind: 'ended',
  status: undefined,
  signal: 0,
  output: '',
  timedOut: false,
  failure,
  isFailurePrinted,
});

/** In one line, as far as the first NUL; each byte that is no text as `_`. */
function printable(output: Buffer): string {
  const nul = output.indexOf(0);
  const told = output.subarray(0, Math.min(nul < 0 ? outputLimit : nul, outputLimit));
  const text = told.toString('utf8').replaceAll('\ufffd', '_');
  // oxlint-disable-next-line no-control-regex -- what a command may print, and a log should not hold
  return text.replaceAll(/[\t\n\v\f\r]/g, ' ').replaceAll(/[\x00-\x1f\x7f]/g, '_');
}

/** What the command prints, as far as it is kept; the rest is read and forgotten. */
function gatherOutput(output: Readable): () => string {
  const printed: Buffer[] = [];
  let length = 0;
  output.on('data', (chunk: Buffer) => {
    if (length < outputLimit) printed.push(chunk);
    length += chunk.length;
  });
  return () => printable(Buffer.concat(printed));
}

/** Runs it with `content` on standard input; standard output and error together are its output. Never rejects. */
export async function runCommand(request: CommandRequest, content: AsyncIterable<Buffer>): Promise<CommandEnd> {
  const { command, environment, directory, limitMs } = request;
  const problem = directoryProblem(directory);
  if (problem !== undefined) {
    const who = `uid=${process.getuid?.() ?? 0} gid=${process.getgid?.() ?? 0}`;
    return failedEnd(`cannot change directory to "${directory}" for ${who}: ${problem}`, false);
  }
  const program = programOf(request);
  const caller = typeof command === 'string' ? '' : 'pipe_command: ';
  const failedStart = (error: unknown): CommandEnd =>
    exhaustion.has(errnoOf(error))
      ? failedEnd(`${caller}fork: ${errnoText(error)}`, false)
      : failedEnd(`${caller}execvp ${program.name}: ${errnoText(error)}`, true);
  let started: CommandProcess | undefined;
  try {
    started = startCommand({ ...program, environment, directory });
  } catch (error) {
    return failedStart(error);
  }
  if (started === undefined) return failedEnd(`${caller}fork: Too many open files`, false);
  return followToEnd(started, content, limitMs, failedStart);
}

/** Feeds it and waits for its end. What takes longer than `limitMs` is killed, with all that it has started. */
function followToEnd(
  { child, input, output }: CommandProcess,
  content: AsyncIterable<Buffer>,
  limitMs: number,
  failedStart: (error: unknown) => CommandEnd,
): Promise<CommandEnd> {
  const { promise, resolve } = Promise.withResolvers<CommandEnd>();
  // a command that doesn't read its input is no error, nor is one that stays silent
  input.on('error', () => undefined);
  output.on('error', () => undefined);
  child.once('error', (error) => {
    input.destroy();
    output.destroy();
    resolve(failedStart(error));
  });
  if (child.pid === undefined) return promise;
  const outputText = gatherOutput(output);
  let timedOut = false;
  const killGroup = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // it ended in the meantime
    }
  };
  // half a message must not pass for a whole one
  feed(input, content).catch(killGroup);
  const timer = setTimeout(
    () => {
      timedOut = true;
      killGroup();
      output.destroy();
    },
    Math.min(limitMs, longestTimerMs),
  );
  const silent = new Promise((ended) => output.once('close', ended));
  child.once('exit', (code, signal) => {
    const how = signal === null ? { status: code ?? undefined } : { signal: signalNumberOf(signal) };
    // what it started may go on printing
    void silent.then(() => {
      clearTimeout(timer);
      input.destroy();
      resolve({ ...failedEnd('', false), output: outputText(), timedOut, ...how });
    });
  });
  return promise;
}
