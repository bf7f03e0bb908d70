/** Who runs the instances of an installation that has several. postfix(1) · postconf(5) multi_instance_wrapper */
import { type Configuration, splitWords } from '#config';
import { type GivenOption, lastValue } from '../getopt.ts';
import type { CliIo } from '../io.ts';
import { Reporter } from '../reporter.ts';
import { runExternal } from '../run-external.ts';
import { systemErrorText } from '../system-error.ts';
/**
 * Who runs all instances, where there are several and none was named. multi_instance_wrapper, as `postmulti -e init` sets it:
 * a command with its arguments.
 */
export function managerOf(
  { settings }: Configuration,
  options: readonly GivenOption[],
  env: CliIo['env'],
): readonly string[] {
  const isNamed = lastValue(options, 'c') !== undefined || (env['MAIL_CONFIG'] ?? '') !== '';
  if (isNamed || settings.list('multi_instance_directories').length === 0) return [];
  return splitWords(settings.string('multi_instance_wrapper'));
}

/** Gives the exit status; 1, with a word about it, where it can't be run. */
export async function runManager(words: readonly string[], configuration: Configuration, io: CliIo): Promise<number> {
  try {
    return await runExternal(configuration, words, io.env);
  } catch (error) {
    const text = `${words[0] ?? ''}: ${systemErrorText(error)}`;
    return new Reporter('postfix', io, configuration.settings).fatal(text, 1);
  }
}
