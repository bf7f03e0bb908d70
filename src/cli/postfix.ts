/** postfix(1): which configuration is meant, who may ask, and what for. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Configuration, ConfigError, findConfigDirectory, loadConfiguration } from '#config';
import { lastValue, parseOptions } from './getopt.ts';
import type { CliIo } from './io.ts';
import { external, migration, tls, upgrade } from './postfix/maintenance.ts';
import { managerOf, runManager } from './postfix/manager.ts';
import { logrotate, reload, status, stop } from './postfix/running.ts';
import type { Script } from './postfix/script.ts';
import { checkStart, mend, start } from './postfix/start.ts';
import { ownsQueue } from './queue-owner.ts';
import { Reporter } from './reporter.ts';
import { createScriptLog } from './script-log.ts';

const commands: Readonly<Record<string, (script: Script) => Promise<number>>> = {
  start: (script) => start(script, false),
  'start-fg': (script) => start(script, true),
  stop: (script) => stop(script, 'stopping'),
  // as in Postfix, which says so only in its log
  'quick-stop': async (script) => {
    await stop(script, 'stopping');
    return 0;
  },
  abort: (script) => stop(script, 'aborting'),
  drain: (script) => stop(script, 'stopping'),
  reload,
  status,
  check: checkStart,
  flush: async ({ io, configuration }) => {
    // it is loaded only for that
    const { run: postqueue } = await import('./postqueue.ts');
    return postqueue(['-c', configuration.directory, '-f'], io);
  },
  'set-permissions': mend,
  'upgrade-configuration': upgrade,
  logrotate,
};

function knownCommand(word: string): ((script: Script) => Promise<number>) | undefined {
  return Object.hasOwn(commands, word) ? commands[word] : undefined;
}

function commandFor(word: string, more: readonly string[]): (script: Script) => Promise<number> {
  if (word === 'tls') return tls(more);
  return word === 'non-bdb' ? migration(more) : (knownCommand(word) ?? unknownCommand(word));
}

function unknownCommand(word: string): (script: Script) => Promise<number> {
  return ({ say }) => {
    say(`unknown command: '${word}'. ${usage}`, 'fatal');
    return Promise.resolve(1);
  };
}

const usage =
  'Usage: postfix start (or stop, reload, abort, flush, check, status, set-permissions, upgrade-configuration, logrotate)';

/** About what runs already; a configuration that would not start must not keep it from ending. */
const asksRunning: ReadonlySet<string> = new Set([
  'stop',
  'quick-stop',
  'abort',
  'drain',
  'status',
  'logrotate',
  'upgrade-configuration',
]);

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const first = parseOptions(args, 'c:Dv', true);
  const isExternal = first.kind === 'options' && first.operands[0]?.startsWith('/') === true;
  const hasOwnOptions = isExternal || (first.kind === 'options' && first.operands[0] === 'tls');
  const parsed = hasOwnOptions ? first : parseOptions(args, 'c:Dv');
  if (parsed.kind === 'invalid') {
    io.stderr(`postfix: ${parsed.problem}\n`);
    return 1;
  }
  const named = lastValue(parsed.options, 'c');
  if (named?.startsWith('/') === false) {
    io.stderr('postfix: fatal: -c requires absolute pathname\n');
    return 1;
  }
  const directory = resolve(findConfigDirectory(named, io.env));
  const [word = ''] = parsed.operands;
  const command = isExternal ? external(parsed.operands) : commandFor(word, parsed.operands.slice(1));
  let configuration: Configuration;
  try {
    configuration = loadConfiguration(directory, {
      mainOnly: asksRunning.has(word) || knownCommand(word) === undefined,
    });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return new Reporter('postfix', io, undefined).unusable(error, 1);
  }
  const manager = managerOf(configuration, parsed.options, io.env);
  if (manager.length > 0) return runManager([...manager, ...parsed.operands], configuration, io);
  const queueDirectory = configuration.settings.string('queue_directory');
  // whoever has no queue yet makes a system of his own
  if (existsSync(queueDirectory) && !ownsQueue(queueDirectory, io.uid)) {
    // for people at a terminal only: scripts have the exit status
    const isWatched = (await io.isTerminal?.('stderr')) === true;
    const told = isWatched ? io : { ...io, stderr: () => undefined };
    return new Reporter('postfix', told, configuration.settings).refuse(notForUsers, 1);
  }
  const say = await createScriptLog(io, configuration.settings);
  return command({ io, configuration, queueDirectory, say });
}

const notForUsers = [
  'to submit mail, use the Postfix sendmail command',
  'the postfix command is reserved for the superuser',
] as const;
