/**
 * postkick(1): wakes a service of master.cf. Here new mail wakes them by itself; what is left of the requests is the queue
 * manager's flush.
 */
import { ConfigError, type Configuration, findConfigDirectory, loadConfiguration } from '#config';
import { askSystem } from './control-client.ts';
import { lastValue, parseOptions } from './getopt.ts';
import type { CliIo } from './io.ts';
import { ownsQueue } from './queue-owner.ts';

const usage = 'usage: postkick [-c config_dir] [-v] class service request';
/** Letters by which qmgr(8) is asked to try deferred mail now: F forgets dead destinations, A ignores when mail is due, D scans the deferred queue. */
const asksFlush = /[FAD]/;

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const say = (text: string): number => {
    io.stderr(`postkick: ${text}\n`);
    return 1;
  };
  const parsed = parseOptions(args, 'c:v');
  if (parsed.kind === 'invalid') {
    say(parsed.problem);
    return say(`fatal: ${usage}`);
  }
  const [place, service, request, ...more] = parsed.operands;
  if (place === undefined || service === undefined || request === undefined || more.length > 0) {
    return say(`fatal: ${usage}`);
  }
  let configuration: Configuration;
  try {
    configuration = loadConfiguration(findConfigDirectory(lastValue(parsed.options, 'c'), io.env));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return say(`fatal: ${error.problems.join('\n')}`);
  }
  const queueDirectory = configuration.settings.string('queue_directory');
  const isKnown = configuration.services.some(
    ({ name, type, isPrivate }) => type === 'unix' && name === service && (isPrivate ? 'private' : 'public') === place,
  );
  // the directories of sockets are for the mail system and its commands
  const mayEnter = ownsQueue(queueDirectory, io.uid);
  const isReachable = isKnown && mayEnter;
  if (!isReachable)
    say(
      `warning: unable to look up ${place}/${service}: ${mayEnter ? 'No such file or directory' : 'Permission denied'}`,
    );
  const isFlush = service === 'qmgr' && asksFlush.test(request);
  const operation = isFlush ? 'flush' : 'status';
  const answer = isReachable ? await askSystem(queueDirectory, 'public', { operation }) : undefined;
  if (answer?.kind === 'ok') return 0;
  if (answer?.kind === 'failed') return say(`fatal: ${answer.reason}`);
  return say(`warning: Cannot contact class ${place} service ${service} - perhaps the mail system is down`);
}
