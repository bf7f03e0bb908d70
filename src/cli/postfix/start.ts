/** postfix(1) start, start-fg, check, set-permissions. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { ConfigError } from '#config';
import { masterEngineOptions, runningMaster } from '#master';
import { errnoText, keepDescriptorsPrivate, thrownText } from '#native';
import { startRefusals, unusableServices } from '#roles';
import { sweepMaildrop } from '../maildrop-listing.ts';
import { ownershipWarnings } from '../ownership-check.ts';
import { makeQueueDirectories } from '../queue-directories.ts';
import type { Script } from './script.ts';

/** Directories and their owners. What the configuration lacks is told by check and start. */
export function mend({ configuration, say }: Script): Promise<number> {
  try {
    makeQueueDirectories(configuration.settings);
    return Promise.resolve(0);
  } catch (error) {
    const problems = error instanceof ConfigError ? error.problems : [thrownText(error)];
    for (const text of problems) say(text, 'refusal');
    return Promise.resolve(1);
  }
}

async function check(script: Script): Promise<number> {
  const { configuration, say } = script;
  for (const text of configuration.warnings) say(text, 'concern');
  if (script.io.uid === 0) for (const text of ownershipWarnings(configuration.directory)) say(text, 'warning');
  const status = await mend(script);
  if (status !== 0) return status;
  await sweepMaildrop(script.queueDirectory, (text) => say(text, 'warning'));
  for (const text of await unusableServices(configuration)) say(text, 'concern');
  return status;
}

export async function start(script: Script, inForeground: boolean): Promise<number> {
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
  const { problems, status } = await launch(configuration.directory, queueDirectory, inForeground);
  for (const text of problems) say(text, 'refusal');
  if (problems.length > 0) say('mail system startup failed', 'fatal');
  return status;
}

/** What a start would do, without starting: it says itself what it refuses. */
export async function checkStart(script: Script): Promise<number> {
  const status = await check(script);
  if (status !== 0) return status;
  const problems = await startRefusals(script.configuration);
  for (const text of problems) script.say(text, 'refusal');
  return problems.length > 0 ? 1 : 0;
}

interface Launched {
  readonly problems: readonly string[];
  readonly status: number;
}

/** Starts the supervisor in a session of its own, and waits until it says how it went; in the foreground, until it ends. */
function launch(directory: string, queueDirectory: string, inForeground: boolean): Promise<Launched> {
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
      resolve({ problems, status: problems.length > 0 ? 1 : 0 });
      child.stdio[4]?.destroy();
    });
    child.once('error', (error) => resolve({ problems: [`can't run the master: ${errnoText(error)}`], status: 1 }));
    child.once('exit', (code, signal) => {
      const status = statusOf(code, signal);
      const problems =
        parseReport(text) ?? (inForeground && status === 0 ? [] : [`master ended with status ${status}`]);
      resolve({ problems, status: problems.length > 0 ? status || 1 : status });
    });
  });
}

/** The exit status as a shell gives it, 128 and more for a signal: so an init system can tell that from a proper stop. */
function statusOf(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? (signal === null ? 1 : 128 + constants.signals[signal]);
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
