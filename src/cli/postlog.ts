/**
 * postlog(1): writes lines of its arguments or of standard input to the mail log. Scripts call it: only people at a terminal
 * are shown what it has to say.
 */
import { ConfigError, findConfigDirectory, openCommandSettings } from '#config';
import { openCommandLog } from './command-log.ts';
import { refusedDirectory } from './foreign-directory.ts';
import { lastValue, parseOptions } from './getopt.ts';
import type { CliIo } from './io.ts';
import { printableUtf8 } from './printable.ts';

const kinds = {
  info: 'note',
  warn: 'warning',
  warning: 'warning',
  err: 'error',
  error: 'error',
  crit: 'fatal',
  fatal: 'fatal',
  panic: 'note',
} as const;
type Priority = keyof typeof kinds;
const isPriority = (text: string): text is Priority => Object.hasOwn(kinds, text);

async function lines(operands: readonly string[], io: CliIo): Promise<readonly string[]> {
  if (operands.length > 0) return [operands.join(' ')];
  let text = '';
  for await (const chunk of io.stdin) text += chunk.toString('utf8');
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const isWatched = (await io.isTerminal?.('stderr')) === true;
  const fatal = (text: string): number => {
    if (isWatched) io.stderr(`postlog: fatal: ${text}\n`);
    return 1;
  };
  const parsed = parseOptions(args, 'c:ip:t:v');
  if (parsed.kind === 'invalid') {
    io.stderr(`postlog: ${parsed.problem}\n`);
    return fatal('usage: postlog [-c config_dir] [-i] [-p priority] [-t tag] [-v] [text]');
  }
  const priority = (lastValue(parsed.options, 'p') ?? 'info').toLowerCase();
  if (!isPriority(priority)) return fatal(`unknown priority: ${priority}`);
  const directory = findConfigDirectory(lastValue(parsed.options, 'c'), io.env);
  const refusal = refusedDirectory(directory, io.uid);
  if (refusal !== undefined) return fatal(refusal[1]);
  try {
    const settings = openCommandSettings(directory);
    const log = await openCommandLog(settings, true);
    const tag = lastValue(parsed.options, 't') ?? `${settings.string('syslog_name')}/postlog`;
    const mark = kinds[priority] === 'note' ? '' : `${kinds[priority]}: `;
    for (const line of await lines(parsed.operands, io)) {
      // nothing here panics, so events know no such kind
      const text = priority === 'panic' ? `panic: ${line}` : line;
      log?.channel(tag).emit({ kind: kinds[priority], text });
      if (isWatched) io.stderr(`${tag}: ${mark}${printableUtf8(text)}\n`);
    }
    log?.flush();
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return fatal(error.problems.join('\n'));
  }
}
