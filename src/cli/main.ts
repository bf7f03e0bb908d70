/**
 * Entry of every command: `main.ts NAME ARGS…`, called by the launchers in `bin/` and, for its own processes, by the
 * supervisor. Each command loads only what it needs.
 */
import { writeSync } from 'node:fs';
import type { CliIo, Command } from './io.ts';

const commands: ReadonlySet<string> = new Set([
  'posthorn',
  'postfix',
  'postconf',
  'postmap',
  'postalias',
  'newaliases',
  'postqueue',
  'mailq',
  'postsuper',
  'postcat',
  'postlog',
  'postdrop',
  'postmulti',
  'postlock',
  'postkick',
  'qshape',
  'sendmail',
  'rmail',
]);

/** Loads a command's file, and nothing of the others. */
async function loadCommand(name: string): Promise<Command> {
  const path = `./${name}.ts`;
  const { run }: { readonly run: Command } = await import(path);
  return run;
}

/** Writes all of it, waiting where a pipe is full. */
function writeAll(fd: number, text: string | Uint8Array): void {
  let rest = typeof text === 'string' ? Buffer.from(text) : text;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
      if (error.code === 'EPIPE') process.exit(0);
      if (error.code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

function systemIo(): CliIo {
  return {
    stdout: (text) => writeAll(1, text),
    stderr: (text) => writeAll(2, text),
    stdin: process.stdin,
    env: process.env,
    uid: process.getuid?.() ?? 0,
    // what it loads is too much for commands that don't ask
    isTerminal: async (stream) => (await import('node:tty')).isatty(stream === 'stdout' ? 1 : 2),
  };
}

/** Processes that the supervisor starts; not for people. */
async function runRole(name: string, args: readonly string[]): Promise<void> {
  const roles = await import('#roles');
  if (name === 'master') await roles.runMaster(args);
  else if (name === 'mail') await roles.runMail(args);
  else await roles.runDeliverer();
}

/** Loads code and does not run it: at the end the engine keeps what it has made of it. */
async function load(kind: string): Promise<void> {
  const { loadRole } = await import('#roles');
  await loadRole(kind);
  if (kind !== 'commands') return;
  const { commandFiles } = await import('./compile.ts');
  for (const file of commandFiles()) await import(file.href);
}

/** Names that alternatives(8) gives beside other mail systems. */
const alternativeName = /\.(?:postfix|posthorn)$/;

const [called = '', ...args] = process.argv.slice(2);
const name = called.replace(alternativeName, '');
if (commands.has(name)) {
  const run = await loadCommand(name);
  process.exitCode = await run(args, systemIo());
} else if (['master', 'mail', 'deliverer'].includes(name)) {
  await runRole(name, args);
} else if (name === 'load') {
  await load(args[0] ?? '');
} else {
  writeAll(2, `posthorn: no such command: ${name}\n`);
  process.exitCode = 64;
}
