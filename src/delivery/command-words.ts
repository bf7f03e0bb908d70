/** From a command as it is written to a program and its arguments, through a shell where it takes one. local(8) */
import { existsSync } from 'node:fs';
import type { Program } from './command-process.ts';

export interface CommandText {
  /** Argument vector; or one text, which a shell gets when it holds more than plain words. */
  readonly command: string | readonly string[];
  /** local_command_shell; '' for none. */
  readonly shell: string;
  readonly environment: Readonly<Record<string, string>>;
}

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

function vectorOf(command: string, shell: string, path: string): readonly string[] {
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

/** The program and its arguments; a text with shell characters or built-ins goes through a shell. */
export function programOf({ command, shell, environment }: CommandText): Pick<Program, 'name' | 'file' | 'args'> {
  const [name = '', ...args] =
    typeof command === 'string' ? vectorOf(command, shell, environment['PATH'] ?? defaultPath) : command;
  return { name, file: name === shellName ? shellFile : name, args };
}
