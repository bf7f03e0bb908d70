/** Runs commands for instances one after another: `postmulti -p`, `postmulti -x`. postmulti(1) */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { systemErrorText } from '../system-error.ts';
import { type Instance, MultiError } from './instances.ts';

/** Where execvp(3) looks without a PATH. */
const defaultPath = '/bin:/usr/bin';

/** What a command of an instance finds in its environment. */
function environmentOf({ settings, directory, name, group, isEnabled }: Instance): Readonly<Record<string, string>> {
  const named = ['command_directory', 'daemon_directory', 'queue_directory', 'data_directory'];
  return {
    ...Object.fromEntries(named.map((parameter) => [parameter, settings.string(parameter)])),
    MAIL_CONFIG: directory,
    config_directory: directory,
    multi_instance_name: name,
    multi_instance_group: group,
    multi_instance_enable: isEnabled ? 'yes' : 'no',
  };
}

/** The same for all instances; what can't be run is told for each. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly complain: (text: string) => Promise<unknown>;
}

async function runOne(words: readonly string[], instance: Instance, surroundings: Surroundings): Promise<boolean> {
  const [program = '', ...args] = words;
  const env = { ...surroundings.env, ...environmentOf(instance) };
  // the commands of this mail system, whatever else is installed
  const PATH = [instance.settings.string('command_directory'), env['PATH'] ?? defaultPath].join(':');
  try {
    const child = spawn(program, args, { stdio: 'inherit', env: { ...env, PATH } });
    const [code]: unknown[] = await once(child, 'exit');
    return code === 0;
  } catch (error) {
    await surroundings.complain(`execvp ${program}: ${systemErrorText(error)}`);
    return false;
  }
}

/** False when one of them failed; the others are run all the same. */
export async function runCommand(
  words: readonly string[],
  instances: readonly Instance[],
  isReversed: boolean,
  surroundings: Surroundings,
): Promise<boolean> {
  let isGood = true;
  for (const instance of isReversed ? instances.toReversed() : instances)
    isGood = (await runOne(words, instance, surroundings)) && isGood;
  return isGood;
}

/**
 * The same with postfix(1). Instances that are not enabled are checked where others start, and not stopped together with
 * them or told to reload. What is stopped goes the other way round.
 */
export async function runPostfix(
  words: readonly string[],
  instances: readonly [Instance, ...Instance[]],
  chosen: readonly Instance[],
  isReversed: boolean,
  surroundings: Surroundings,
): Promise<boolean> {
  const [command = '', ...others] = words;
  const { settings } = instances[0];
  const isIn = (parameter: string): boolean => settings.list(parameter).includes(command);
  const starts = isIn('postmulti_start_commands');
  const controls = isIn('postmulti_control_commands');
  const postfix = [process.execPath, ...process.execArgv, resolve(process.argv[1] ?? ''), 'postfix'];
  const isBackwards = isIn('postmulti_stop_commands') !== isReversed;
  const isForEnabled = controls || isIn('postmulti_stop_commands');
  const meant = isForEnabled ? chosen.filter(({ isEnabled }) => isEnabled) : chosen;
  if (meant.length === 0) throw new MultiError('No matching instances');
  let isGood = true;
  for (const instance of isBackwards ? meant.toReversed() : meant) {
    const word = starts && !instance.isEnabled ? 'check' : command;
    isGood = (await runOne([...postfix, word, ...others], instance, surroundings)) && isGood;
  }
  return isGood;
}
