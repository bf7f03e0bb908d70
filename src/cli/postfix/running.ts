/** What postfix(1) does with a system that runs: stop, abort, reload, status, logrotate. */
import { isAllInOne, lastReload, reloadRefusal, runningMaster } from '#master';
import { rotateLog } from '../log-rotation.ts';
import { sweepMaildrop } from '../maildrop-listing.ts';
import type { Script } from './script.ts';
import { sendSignal } from './send-signal.ts';

const stopWaitMs = 6000;
const reloadWaitMs = 10_000;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export async function stop({ queueDirectory, say }: Script, doing: 'stopping' | 'aborting'): Promise<number> {
  const pid = runningMaster(queueDirectory);
  if (pid === undefined) {
    say('the Postfix mail system is not running', 'fatal');
    return 1;
  }
  say(`${doing} the Postfix mail system`);
  sendSignal(pid, 'SIGTERM');
  const until = Date.now() + stopWaitMs;
  while (runningMaster(queueDirectory) === pid) {
    if (Date.now() > until) {
      say('stopping the Postfix mail system with force', 'warning');
      // in the foreground the master is in the group of whoever started it
      if (isAllInOne(pid) || !sendSignal(-pid, 'SIGKILL')) sendSignal(pid, 'SIGKILL');
      break;
    }
    await sleep(20);
  }
  return 0;
}

/**
 * Comes back when the new configuration is in force, or was refused, or with a warning when neither is so after `waitMs`.
 * Postfix ends with 0 at once, and its master ends later where ours goes on with the old one: who asked would not hear of it.
 */
export async function reload({ queueDirectory, say }: Script, waitMs = reloadWaitMs): Promise<number> {
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
  if (!sendSignal(pid, 'SIGHUP')) {
    say('the Postfix mail system is not running', 'fatal');
    return 1;
  }
  const until = Date.now() + waitMs;
  while (lastReload(queueDirectory) === before && runningMaster(queueDirectory) === pid && Date.now() < until) {
    await sleep(20);
  }
  // a system that runs for years is seldom started
  await sweepMaildrop(queueDirectory, (text) => say(text, 'warning'));
  const isOpen = lastReload(queueDirectory) === before;
  if (isOpen) say('the new configuration is not in force yet: the log will tell of it', 'concern');
  const refused = isOpen ? [] : reloadRefusal(queueDirectory);
  for (const text of refused) say(text, 'logged');
  return refused.length > 0 ? 1 : 0;
}

export function status({ queueDirectory, say }: Script): Promise<number> {
  const pid = runningMaster(queueDirectory);
  say(pid === undefined ? 'the Postfix mail system is not running' : `the Postfix mail system is running: PID: ${pid}`);
  return Promise.resolve(pid === undefined ? 1 : 0);
}

export async function logrotate({ configuration, queueDirectory, say }: Script): Promise<number> {
  const problem = await rotateLog(configuration.settings, () => {
    const pid = runningMaster(queueDirectory);
    if (pid !== undefined && !isAllInOne(pid)) sendSignal(pid, 'SIGHUP');
  });
  if (problem !== undefined) say(problem, 'fatal');
  return problem === undefined ? 0 : 1;
}
