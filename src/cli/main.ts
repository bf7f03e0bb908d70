/**
 * Entry of every command: `main.ts NAME ARGS…`, called by the launchers in `bin/` and, for its own processes, by the
 * supervisor. Each command loads only what it needs.
 */
import { flushCompileCache } from 'node:module';
import { EX_USAGE } from './exit-status.ts';
import type { CliIo, Command } from './io.ts';
import { OutputError, writeOutput, writeRemark } from './output.ts';

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

function systemIo(): CliIo {
  return {
    stdout: writeOutput,
    stderr: writeRemark,
    stdin: process.stdin,
    env: process.env,
    uid: process.getuid?.() ?? 0,
    // what it loads is too much for commands that don't ask
    isTerminal: async (stream) => (await import('node:tty')).isatty(stream === 'stdout' ? 1 : 2),
    become: async (user) => {
      const { becomeMailOwner } = await import('#native');
      // the compile cache may be root's
      flushCompileCache();
      becomeMailOwner(user);
    },
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
  try {
    process.exitCode = await run(args, systemIo());
  } catch (error) {
    if (!(error instanceof OutputError)) throw error;
    writeRemark(`${name}: fatal: ${error.message}\n`);
    process.exitCode = 1;
  }
} else if (['master', 'mail', 'deliverer'].includes(name)) {
  await runRole(name, args);
} else {
  writeRemark(`posthorn: no such command: ${name}\n`);
  process.exitCode = EX_USAGE;
}
