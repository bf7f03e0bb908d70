/** The process of a command, with pipes for what it reads and for what it prints. pipe(8), local(8) */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { openPipe, type PipeEnds } from '#native';

export interface CommandProcess {
  /** Emits `error` when the program could not be started. */
  readonly child: ChildProcess;
  readonly input: Socket;
  /** Standard output and standard error, in the order in which they were written. */
  readonly output: Socket;
}

export interface Program {
  /** As it calls itself. */
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** '': where this process stands. */
  readonly directory: string;
}

function close(descriptors: readonly number[]): void {
  for (const descriptor of descriptors) closeSync(descriptor);
}

/** Two pipes; undefined when descriptors are used up. */
function openPipes(): readonly [PipeEnds, PipeEnds] | undefined {
  const input = openPipe();
  if (input === undefined) return undefined;
  const output = openPipe();
  if (output !== undefined) return [input, output];
  close([input.readEnd, input.writeEnd]);
  return undefined;
}

/** Starts it as the leader of a process group. Throws where no process can be made; undefined: descriptors are used up. */
export function startCommand({ name, file, args, environment, directory }: Program): CommandProcess | undefined {
  const pipes = openPipes();
  if (pipes === undefined) return undefined;
  const [input, output] = pipes;
  let child: ChildProcess;
  try {
    child = spawn(file, args, {
      argv0: name,
      env: { ...environment },
      stdio: [input.readEnd, output.writeEnd, output.writeEnd],
      detached: true,
      ...(directory === '' ? {} : { cwd: directory }),
    });
  } catch (error) {
    close([input.writeEnd, output.readEnd]);
    throw error;
  } finally {
    // only the command holds those: at its end its reader, and whoever reads what it prints, hear of it
    close([input.readEnd, output.writeEnd]);
  }
  return {
    child,
    input: new Socket({ fd: input.writeEnd, readable: false, writable: true }),
    output: new Socket({ fd: output.readEnd, readable: true, writable: false }),
  };
}
