/**
 * Entry of every command: `main.ts NAME ARGS…`, called by the launchers in `bin/` and, for its own processes, by the
 * supervisor. Each command loads only what it needs.
 */
import { writeSync } from 'node:fs';
import type { CliIo, Command } from './io.ts';

/** Each command loads its own file, and nothing of the others. */
const commands: Readonly<Record<string, () => Promise<{ readonly run: Command }>>> = {
  posthorn: () => import('./posthorn.ts'),
  postfix: () => import('./postfix.ts'),
  postconf: () => import('./postconf.ts'),
  postmap: () => import('./postmap.ts'),
  postalias: () => import('./postalias.ts'),
  newaliases: () => import('./newaliases.ts'),
  postqueue: () => import('./postqueue.ts'),
  mailq: () => import('./mailq.ts'),
  postsuper: () => import('./postsuper.ts'),
  postcat: () => import('./postcat.ts'),
  postlog: () => import('./postlog.ts'),
  postdrop: () => import('./postdrop.ts'),
  postmulti: () => import('./postmulti.ts'),
  postlock: () => import('./postlock.ts'),
  postkick: () => import('./postkick.ts'),
  qshape: () => import('./qshape.ts'),
  sendmail: () => import('./sendmail.ts'),
  rmail: () => import('./rmail.ts'),
};

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

/** Names that alternatives(8) gives beside other mail systems. */
const alternativeName = /\.(?:postfix|posthorn)$/;

const [called = '', ...args] = process.argv.slice(2);
const name = called.replace(alternativeName, '');
const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
if (load !== undefined) {
  const { run } = await load();
  process.exitCode = await run(args, systemIo());
} else if (['master', 'mail', 'deliverer'].includes(name)) {
  await runRole(name, args);
} else {
  writeAll(2, `posthorn: no such command: ${name}\n`);
  process.exitCode = 64;
}
