/** postfix(1): start, stop, reload, status, check, flush, abort, start-fg, logrotate, non-bdb. */
import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Configuration, ConfigError, findConfigDirectory, loadConfiguration, splitWords } from '#config';
import { isAllInOne, lastReload, masterEngineOptions, runningMaster } from '#master';
import { keepDescriptorsPrivate } from '#native';
import { startRefusals, unusableServices } from '#roles';
import { type GivenOption, lastValue, parseOptions } from './getopt.ts';
import type { CliIo, Command } from './io.ts';
import { ownershipWarnings } from './ownership-check.ts';
import { runExternal } from './run-external.ts';
import { rotateLog } from './log-rotation.ts';
import { makeQueueDirectories } from './queue-directories.ts';
import { Reporter } from './reporter.ts';
import { createScriptLog, type ScriptLog } from './script-log.ts';

const stopWaitMs = 6000;
const reloadWaitMs = 10_000;

interface Script {
  readonly io: CliIo;
  readonly configuration: Configuration;
  readonly queueDirectory: string;
  readonly say: ScriptLog;
}

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
    const { run: postqueue } = await loadPostqueue();
    return postqueue(['-c', configuration.directory, '-f'], io);
  },
  'set-permissions': mend,
  'upgrade-configuration': upgrade,
  logrotate,
};

/** Another program; its options are not ours. */
function external(words: readonly string[]): (script: Script) => Promise<number> {
  return async ({ configuration, io, say }) => {
    try {
      return await runExternal(configuration, words, io.env);
    } catch (error) {
      // as a shell would have it, which runs it in Postfix
      const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      say(`${words[0] ?? ''}: ${isMissing ? 'not found' : 'Permission denied'}`, 'refusal');
      return isMissing ? 127 : 126;
    }
  };
}

/** Keys, certificates and settings of TLS; its options are not ours. */
function tls(words: readonly string[]): (script: Script) => Promise<number> {
  return async ({ configuration: { directory, settings }, io }) => {
    const { runTls } = await import('./postfix-tls.ts');
    const say = await createScriptLog(io, settings, 'postfix-tls-script');
    return runTls(words, { io, directory, settings, say });
  };
}

/** Whether tables are redirected; it edits main.cf and master.cf. */
function migration(words: readonly string[]): (script: Script) => Promise<number> {
  return async ({ configuration, io, say }) => {
    const { nonBdb } = await import('./non-bdb.ts');
    const { EditError } = await import('./postconf/change.ts');
    const print = (text: string): void => io.stdout(`${text}\n`);
    const warn = (text: string): void => say(text, 'concern');
    try {
      const problem = nonBdb(words, configuration, { print, warn });
      if (problem === undefined) return 0;
      say(problem, 'fatal');
    } catch (error) {
      if (!(error instanceof EditError)) throw error;
      say(error.message, 'fatal');
    }
    return 1;
  };
}

function commandFor(word: string, more: readonly string[]): (script: Script) => Promise<number> {
  if (word === 'tls') return tls(more);
  return word === 'non-bdb' ? migration(more) : (commands[word] ?? unknownCommand(word));
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
  const directory = resolve(findConfigDirectory(lastValue(parsed.options, 'c'), io.env));
  const [word = ''] = parsed.operands;
  const command = isExternal ? external(parsed.operands) : commandFor(word, parsed.operands.slice(1));
  let configuration: Configuration;
  try {
    configuration = loadConfiguration(directory, { mainOnly: asksRunning.has(word) || commands[word] === undefined });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return new Reporter('postfix', io, undefined).unusable(error, 1);
  }
  const manager = managerOf(configuration, parsed.options, io.env);
  if (manager.length > 0) return runExternal(configuration, [...manager, ...parsed.operands], io.env);
  const queueDirectory = configuration.settings.string('queue_directory');
  const say = await createScriptLog(io, configuration.settings);
  if (!isOurs(queueDirectory, io.uid)) return refuseToUser(say);
  return command({ io, configuration, queueDirectory, say });
}

/**
 * Who runs all instances, where there are several and none was named. multi_instance_wrapper, as `postmulti -e init` sets it:
 * a command with its arguments.
 */
function managerOf({ settings }: Configuration, options: readonly GivenOption[], env: CliIo['env']): readonly string[] {
  const isNamed = lastValue(options, 'c') !== undefined || (env['MAIL_CONFIG'] ?? '') !== '';
  if (isNamed || settings.list('multi_instance_directories').length === 0) return [];
  return splitWords(settings.string('multi_instance_wrapper'));
}

/** Directories and their owners. What the configuration lacks is told by check and start. */
function mend({ configuration, say }: Script): Promise<number> {
  try {
    makeQueueDirectories(configuration.settings);
    return Promise.resolve(0);
  } catch (error) {
    const problems =
      error instanceof ConfigError ? error.problems : [error instanceof Error ? error.message : String(error)];
    for (const text of problems) say(text, 'refusal');
    return Promise.resolve(1);
  }
}

/** Directories, and master.cf as the present version wants it. What is done is told on standard output. */
async function upgrade(script: Script): Promise<number> {
  const status = await mend(script);
  if (status !== 0) return status;
  const { upgradeMasterText } = await import('./upgrade-configuration.ts');
  const { EditError, editFile } = await import('./postconf/change.ts');
  const path = `${script.configuration.directory}/master.cf`;
  try {
    editFile(path, (text) => {
      const upgraded = upgradeMasterText(text);
      for (const what of upgraded.done) script.io.stdout(`Editing ${path}, ${what}\n`);
      return upgraded.text;
    });
    return 0;
  } catch (error) {
    if (!(error instanceof EditError)) throw error;
    script.say(error.message, 'refusal');
    return 1;
  }
}

async function check(script: Script): Promise<number> {
  const { configuration, say } = script;
  for (const text of configuration.warnings) say(text, 'concern');
  if (script.io.uid === 0) for (const text of ownershipWarnings(configuration.directory)) say(text, 'warning');
  const status = await mend(script);
  if (status === 0) for (const text of await unusableServices(configuration)) say(text, 'concern');
  return status;
}

async function start(script: Script, inForeground: boolean): Promise<number> {
  const { configuration, queueDirectory, say } = script;
  if (runningMaster(queueDirectory) !== undefined) {
    say('the Postfix mail system is already running', 'fatal');
    return 1;
  }
  if ((await check(script)) !== 0) {
    say('Postfix integrity check failed!', 'fatal');
    return 1;
  }
  say('starting the Postfix mail system');
  const problems = await launch(configuration.directory, queueDirectory, inForeground);
  for (const text of problems) say(text, 'refusal');
  if (problems.length > 0) say('mail system startup failed', 'fatal');
  return problems.length > 0 ? 1 : 0;
}

/** What a start would do, without starting: it says itself what it refuses. */
async function checkStart(script: Script): Promise<number> {
  const status = await check(script);
  if (status !== 0) return status;
  const problems = await startRefusals(script.configuration);
  for (const text of problems) script.say(text, 'refusal');
  return problems.length > 0 ? 1 : 0;
}

/** Starts the supervisor in a session of its own, and waits until it says how it went. */
function launch(directory: string, queueDirectory: string, inForeground: boolean): Promise<readonly string[]> {
  const output = inForeground ? 'inherit' : 'ignore';
  if (!inForeground) keepDescriptorsPrivate();
  const child = spawn(
    process.execPath,
    [...masterEngineOptions, ...process.execArgv, process.argv[1] ?? '', 'master', directory, queueDirectory],
    {
      // netstat(8) names who listens by it
      argv0: 'master',
      detached: !inForeground,
      cwd: queueDirectory,
      stdio: ['ignore', output, output, 'ignore', 'pipe'],
    },
  );
  // whoever runs it in the foreground (init, a container) stops it by a signal to this process
  if (inForeground)
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void child.kill(signal));
  let text = '';
  return new Promise((resolve) => {
    child.stdio[4]?.on('data', (bytes: Buffer) => {
      text += bytes.toString('utf8');
      const problems = parseReport(text);
      if (problems === undefined || (inForeground && problems.length === 0)) return;
      child.unref();
      resolve(problems);
      child.stdio[4]?.destroy();
    });
    child.once('exit', (code) =>
      resolve(inForeground && code === 0 ? [] : (parseReport(text) ?? [`master ended with status ${code ?? 1}`])),
    );
  });
}

function parseReport(text: string): readonly string[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && 'problems' in value && Array.isArray(value.problems))
      return value.problems.map(String);
  } catch {
    // not all of it is there yet
  }
  return undefined;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Root's business, or that of an ordinary user whose own system it is. */
function isOurs(queueDirectory: string, uid: number): boolean {
  return uid === 0 || (statSync(queueDirectory, { throwIfNoEntry: false })?.uid ?? uid) === uid;
}

function refuseToUser(say: ScriptLog): number {
  say('the postfix command is reserved for the superuser', 'fatal');
  return 1;
}

async function stop({ queueDirectory, say }: Script, doing: 'stopping' | 'aborting'): Promise<number> {
  const pid = runningMaster(queueDirectory);
  if (pid === undefined) {
    say('the Postfix mail system is not running', 'fatal');
    return 1;
  }
  say(`${doing} the Postfix mail system`);
  process.kill(pid, 'SIGTERM');
  const until = Date.now() + stopWaitMs;
  while (runningMaster(queueDirectory) === pid) {
    if (Date.now() > until) {
      say('stopping the Postfix mail system with force', 'warning');
      process.kill(isAllInOne(pid) ? pid : -pid, 'SIGKILL');
      break;
    }
    await sleep(20);
  }
  return 0;
}

/** Comes back when the new configuration is in force, or was refused. */
async function reload({ queueDirectory, say }: Script): Promise<number> {
  const pid = runningMaster(queueDirectory);
  if (pid === undefined) {
    say('the Postfix mail system is not running', 'fatal');
    return 1;
  }
  if (isAllInOne(pid)) {
    say('"posthorn quick-start" reads its configuration when it starts: stop it and start it again', 'fatal');
    return 1;
  }
  say('refreshing the Postfix mail system');
  const before = lastReload(queueDirectory);
  process.kill(pid, 'SIGHUP');
  const until = Date.now() + reloadWaitMs;
  while (lastReload(queueDirectory) === before && runningMaster(queueDirectory) === pid && Date.now() < until) {
    await sleep(20);
  }
  return 0;
}

function status({ queueDirectory, say }: Script): Promise<number> {
  const pid = runningMaster(queueDirectory);
  say(pid === undefined ? 'the Postfix mail system is not running' : `the Postfix mail system is running: PID: ${pid}`);
  return Promise.resolve(pid === undefined ? 1 : 0);
}

async function logrotate({ configuration, queueDirectory, say }: Script): Promise<number> {
  const problem = await rotateLog(configuration.settings, () => {
    const pid = runningMaster(queueDirectory);
    if (pid !== undefined && !isAllInOne(pid)) process.kill(pid, 'SIGHUP');
  });
  if (problem !== undefined) say(problem, 'fatal');
  return problem === undefined ? 0 : 1;
}

/** postqueue(1) does the flushing; it is loaded only for that. */
async function loadPostqueue(): Promise<{ readonly run: Command }> {
  const path = './postqueue.ts';
  const loaded: { readonly run: Command } = await import(path);
  return loaded;
}
