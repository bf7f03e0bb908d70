/** Runs a command that a message is written to. pipe(8), local(8), "EXTERNAL COMMAND DELIVERY" */
import { once } from 'node:events';
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { longestTimerMs } from '#message';
import { errnoOf, errnoText, signalNumberOf } from '#native';
import { type CommandProcess, startCommand } from './command-process.ts';

export interface CommandRequest {
  /** Argument vector; or one text, which a shell gets when it holds more than plain words. */
  readonly command: string | readonly string[];
  /** local_command_shell; '' for none. */
  readonly shell: string;
  readonly environment: Readonly<Record<string, string>>;
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
const plainCommand = /^[\w!@%+=:,./ \t-]+$/;
const builtIns: ReadonlySet<string> = new Set([
  '.',
  ':',
  'break',
  'cd',
  'continue',
  'eval',
  'exec',
  'exit',
  'export',
  'readonly',
  'return',
  'set',
  'shift',
  'test',
  'times',
  'trap',
  'umask',
  'unset',
]);

/** What the shell calls itself in its messages; a name that no PATH is searched for. */
const shellName = 'sh';
const shellFile = '/bin/sh';
/** Where programs are looked for when the environment names no PATH. */
const defaultPath = '/usr/bin:/bin';

/** The program as it is called and its arguments; commands with shell characters or built-ins go through a shell. */
function commandVector(command: string, shell: string, path: string): readonly string[] {
  const words = command.trim().split(/[ \t]+/);
  if (shell !== '') return [...shell.trim().split(/[ \t]+/), command];
  const [program = ''] = words;
  const isPlain = plainCommand.test(command) && !builtIns.has(program) && !program.includes('=');
  return isPlain && (program.includes('/') || isInPath(program, path)) ? words : [shellName, '-c', command];
}

/** What is nowhere may be a word of the shell, which otherwise says in the usual way that it is not there. */
function isInPath(program: string, path: string): boolean {
  return path.split(':').some((directory) => existsSync(`${directory}/${program}`));
}

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

/** Runs it with `content` on standard input; standard output and error together are its output. */
export function runCommand(request: CommandRequest, content: AsyncIterable<Buffer>): Promise<CommandEnd> {
  const { command, shell, environment, directory, limitMs } = request;
  const [program = '', ...args] =
    typeof command === 'string' ? commandVector(command, shell, environment['PATH'] ?? defaultPath) : command;
  const problem = directoryProblem(directory);
  if (problem !== undefined) {
    const who = `uid=${process.getuid?.() ?? 0} gid=${process.getgid?.() ?? 0}`;
    return Promise.resolve(failedEnd(`cannot change directory to "${directory}" for ${who}: ${problem}`, false));
  }
  const caller = typeof command === 'string' ? '' : 'pipe_command: ';
  const failedStart = (error: unknown): CommandEnd =>
    exhaustion.has(errnoOf(error))
      ? failedEnd(`${caller}fork: ${errnoText(error)}`, false)
      : failedEnd(`${caller}execvp ${program}: ${errnoText(error)}`, true);
  return new Promise((resolve) => {
    let started: CommandProcess | undefined;
    try {
      started = startCommand({
        name: program,
        file: program === shellName ? shellFile : program,
        args,
        environment,
        directory,
      });
    } catch (error) {
      return resolve(failedStart(error));
    }
    if (started === undefined) return resolve(failedEnd(`${caller}fork: Too many open files`, false));
    const { child, input, output } = started;
    // a command that doesn't read its input is no error, nor is one that stays silent
    input.on('error', () => undefined);
    output.on('error', () => undefined);
    child.once('error', (error) => {
      input.destroy();
      output.destroy();
      resolve(failedStart(error));
    });
    if (child.pid === undefined) return;
    const printed: Buffer[] = [];
    let timedOut = false;
    let length = 0;
    output.on('data', (chunk: Buffer) => {
      if (length < outputLimit) printed.push(chunk);
      length += chunk.length;
    });
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
    const end = (facts: Partial<CommandEnd>): void => {
      clearTimeout(timer);
      input.destroy();
      resolve({ ...failedEnd('', false), output: printable(Buffer.concat(printed)), timedOut, ...facts });
    };
    const silent = new Promise((ended) => output.once('close', ended));
    child.once('exit', (code, signal) => {
      // what it started may go on printing
      void silent.then(() => end(signal === null ? { status: code ?? undefined } : { signal: signalNumberOf(signal) }));
    });
  });
}
