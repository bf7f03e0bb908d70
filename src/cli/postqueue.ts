/** postqueue(1): lists and flushes the queue. As in Postfix every failure ends with EX_UNAVAILABLE. */
import { isAddressLiteral, isValidHostName } from '#address';
import { ConfigError, findConfigDirectory, openCommandSettings, type Settings } from '#config';
import { thrownText } from '#native';
import { EX_UNAVAILABLE } from './exit-status.ts';
import { askSystem, type QueueEntry } from './control-client.ts';
import { refusedDirectory } from './foreign-directory.ts';
import { lastValue, parseOptions } from './getopt.ts';
import type { CliIo } from './io.ts';
import { readMaildrop } from './maildrop-listing.ts';
import { jsonLine, type ListedEntry, listedFile, listedMessage, table } from './postqueue/listing.ts';
import { isQueueId } from './queue-id.ts';
import { readQueue } from './queue-listing.ts';
import { Reporter } from './reporter.ts';

type Action = 'list' | 'json' | 'flush' | 'flushId' | 'flushSite';

interface Options {
  readonly action: Action;
  readonly argument: string;
  readonly directory: string | undefined;
}

const usage = 'usage: postqueue -f | postqueue -i queueid | postqueue -j | postqueue -p | postqueue -s site';

const actions: Readonly<Record<string, Action>> = { f: 'flush', i: 'flushId', j: 'json', p: 'list', s: 'flushSite' };

/** The one thing to do, or what is wrong with the command line. */
function parse(args: readonly string[]): Options | { readonly complaint: string | undefined } {
  const parsed = parseOptions(args, 'c:fi:jps:v');
  if (parsed.kind === 'invalid') return { complaint: parsed.problem };
  const asked = parsed.options.flatMap(({ letter, value }) => {
    const action = actions[letter];
    return action === undefined ? [] : [{ action, argument: value }];
  });
  const [only] = asked;
  if (only === undefined || asked.length > 1 || parsed.operands.length > 0) return { complaint: undefined };
  return { ...only, directory: lastValue(parsed.options, 'c') };
}

function badArgument(action: Action, argument: string): string | undefined {
  const shown = argument.length > 100 ? `${argument.slice(0, 100)}...` : argument;
  if (action === 'flushId' && !isQueueId(argument)) return `Cannot flush queue ID - invalid name: "${shown}"`;
  if (action === 'flushSite' && !isValidHostName(argument) && !isAddressLiteral(argument))
    return `Cannot flush mail queue - invalid destination: "${shown}"`;
  return undefined;
}

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const early = new Reporter('postqueue', io, undefined);
  const options = parse(args);
  if (!('action' in options)) {
    if (options.complaint !== undefined) io.stderr(`postqueue: ${options.complaint}\n`);
    return early.fatal(usage, EX_UNAVAILABLE);
  }
  const { action, argument, directory: named } = options;
  const directory = findConfigDirectory(named, io.env);
  const refusal = refusedDirectory(directory, io.uid);
  if (refusal !== undefined) return early.refuse(refusal, EX_UNAVAILABLE);
  let settings: Settings;
  try {
    settings = openCommandSettings(directory);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return early.unusable(error, EX_UNAVAILABLE);
  }
  const reporter = new Reporter('postqueue', io, settings);
  const problem = badArgument(action, argument);
  if (problem !== undefined) return reporter.fatal(problem, EX_UNAVAILABLE);
  if (action === 'list' || action === 'json') return list(action, settings, io, reporter);
  const answer = await askSystem(settings.string('queue_directory'), 'public', {
    operation: action,
    queueIds: [argument],
    site: argument,
  });
  if (answer.kind === 'ok') return 0;
  if (answer.kind === 'down') {
    const { refusalWhileDown } = await import('./postqueue/while-down.ts');
    const site = action === 'flushSite' ? argument : undefined;
    const refusal = await refusalWhileDown(io.uid, site, settings);
    if (refusal.isDown && action !== 'flush') await reporter.warn(`connect to public/flush: ${answer.reason}`);
    return reporter.fatal(refusal.text, EX_UNAVAILABLE);
  }
  // who runs the system has told its log
  io.stderr(`postqueue: fatal: ${answer.reason}\n`);
  return EX_UNAVAILABLE;
}

async function list(action: 'list' | 'json', settings: Settings, io: CliIo, reporter: Reporter): Promise<number> {
  const reading = await readQueue(settings, io, (text) => io.stderr(`postqueue: warning: ${text}\n`));
  if (reading.kind === 'failed') {
    if (!reading.isTold) return reporter.fatal(reading.reason, EX_UNAVAILABLE);
    io.stderr(`postqueue: fatal: ${reading.reason}\n`);
    return EX_UNAVAILABLE;
  }
  if (!reading.isUp) await reporter.warn(`Mail system is down -- accessing queue directly ${reading.down}`);
  const entries = listed(reading.messages, settings, reporter);
  try {
    if (action === 'json') for await (const entry of entries) io.stdout(jsonLine(entry));
    else for await (const piece of table(entries, settings.bool('enable_long_queue_ids'))) io.stdout(piece);
  } catch (error) {
    return reporter.fatal(thrownText(error), EX_UNAVAILABLE);
  }
  await reporter.settle();
  return 0;
}

async function* listed(
  messages: AsyncIterable<QueueEntry>,
  settings: Settings,
  reporter: Reporter,
): AsyncGenerator<ListedEntry, void> {
  for await (const file of readMaildrop(settings.string('queue_directory'), reporter.warnNow)) yield listedFile(file);
  for await (const message of messages) yield listedMessage(message);
}
