/** postsuper(1): removes, holds, releases, requeues and expires messages. For root and $mail_owner. */
import { existsSync } from 'node:fs';
import { ConfigError, findConfigDirectory, openCommandSettings, type Settings } from '#config';
import { thrownText } from '#native';
import { type MessageSelector, openStore, type QueueStore, type StoreOptions } from '#store';
import { askSystem } from './control-client.ts';
import { type GivenOption, lastValue, parseOptions } from './getopt.ts';
import type { CliIo } from './io.ts';
import { isQueueId } from './queue-id.ts';
import { becomeQueueOwner, ownsQueue, reserved } from './queue-owner.ts';
import { removeFromMaildrop, sweepMaildrop } from './maildrop-listing.ts';
import { Reporter } from './reporter.ts';

type Operation = 'remove' | 'hold' | 'release' | 'requeue' | 'expire';
type QueueWord = (typeof queueNames)[number];
type QueueName = QueueWord | (typeof otherQueues)[number];

interface Action {
  readonly operation: Operation;
  /** What is said of each message. */
  readonly one: string;
  readonly summary: string;
  readonly queues: readonly QueueWord[];
}

const queueNames = ['hold', 'incoming', 'active', 'deferred', 'maildrop'] as const;
/** Queues of Postfix that hold no messages: nothing is ever found there. */
const otherQueues = ['bounce', 'defer', 'trace', 'flush'] as const;
const allMail = ['hold', 'incoming', 'active', 'deferred'] as const;

const actions: Readonly<Record<string, readonly Action[]>> = {
  d: [{ operation: 'remove', one: 'removed', summary: 'Deleted', queues: queueNames }],
  h: [
    { operation: 'hold', one: 'placed on hold', summary: 'Placed on hold', queues: ['incoming', 'active', 'deferred'] },
  ],
  H: [{ operation: 'release', one: 'released from hold', summary: 'Released from hold', queues: ['hold'] }],
  r: [{ operation: 'requeue', one: 'requeued', summary: 'Requeued', queues: allMail }],
  e: [{ operation: 'expire', one: 'expired', summary: 'Force-expired', queues: allMail }],
  f: [
    { operation: 'expire', one: 'expired', summary: 'Force-expired', queues: allMail },
    { operation: 'release', one: 'released from hold', summary: 'Released from hold', queues: ['hold'] },
  ],
};

/** What -s and -p look at, in their order. */
const checkedQueues = ['defer', 'bounce', 'maildrop', 'incoming', 'active', 'deferred', 'hold', 'flush'] as const;

const usage =
  'usage: postsuper [-c config_dir] [-d queue_id (delete)] [-e queue_id (expire)] [-f queue_id (expire and/or un-hold)] ' +
  '[-h queue_id (hold)] [-H queue_id (un-hold)] [-p (purge temporary files)] [-r queue_id (requeue)] ' +
  '[-s (structure fix)] [-S (redundant structure fix)][-v (verbose)] [queue...]';

/** The order in which what was done is counted. */
const summaryOrder = ['requeue', 'remove', 'expire', 'hold', 'release'] as const;

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const early = new Reporter('postsuper', io, undefined);
  const parsed = parseOptions(args, 'c:d:e:f:h:H:pr:sSv');
  if (parsed.kind === 'invalid') {
    if (io.uid !== 0) return early.fatal(reserved, 1);
    io.stderr(`postsuper: ${parsed.problem}\n`);
    return early.fatal(usage, 1);
  }
  const { options, operands } = parsed;
  let settings: Settings;
  try {
    settings = openCommandSettings(findConfigDirectory(lastValue(options, 'c'), io.env));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return early.unusable(error, 1);
  }
  if (!ownsQueue(settings.string('queue_directory'), io.uid)) return early.fatal(reserved, 1);
  const problem = await becomeQueueOwner(settings, io);
  if (problem !== undefined) return early.fatal(problem, 1);
  const reporter = new Reporter('postsuper', io, settings);
  const queues: readonly QueueName[] = [...queueNames, ...otherQueues].filter((name) => operands.includes(name));
  const unknown = operands.find((name) => !queues.some((known) => known === name));
  const asked = options.filter(({ letter }) => letter !== 'c' && letter !== 'v');
  if (unknown !== undefined && (asked.length === 0 || asked.some(looksIntoQueues))) {
    return reporter.fatal(`invalid directory name: ${unknown}`, 1);
  }
  if (asked.length === 0 || asked.some(({ letter }) => 'psS'.includes(letter))) {
    const purges = asked.length === 0 || asked.some(({ letter }) => letter === 'p');
    const isVerbose = options.some(({ letter }) => letter === 'v');
    for (const name of operands.length === 0 ? checkedQueues : operands) {
      if (isVerbose) await reporter.info(`queue: ${name}`);
      const removed = purges && name === 'maildrop' ? await sweep(settings, reporter) : [];
      for (const file of isVerbose ? removed : []) await reporter.info(`removed file maildrop/${file}`);
    }
  }
  const counts = new Map<Operation, { readonly summary: string; readonly count: number }>();
  for (const option of options) {
    const done = await runOption(option, operands.length === 0 ? undefined : queues, settings, io, reporter);
    if (typeof done === 'string') return reporter.fatal(done, 1);
    for (const { operation, summary, count } of done) {
      counts.set(operation, { summary, count: count + (counts.get(operation)?.count ?? 0) });
    }
  }
  await reporter.settle();
  for (const { summary, count } of summaryOrder.flatMap((operation) => counts.get(operation) ?? [])) {
    await reporter.info(`${summary}: ${count} message${count === 1 ? '' : 's'}`);
  }
  return 0;
}

/**
 * Messages released by their IDs are looked for on hold only, whatever other queues are named. What cannot be an ID is
 * looked for nowhere.
 */
function looksIntoQueues({ letter, value }: GivenOption): boolean {
  if (actions[letter] === undefined || value === 'ALL') return true;
  return letter !== 'H' && (value === '-' || isQueueId(value));
}

interface Done {
  readonly operation: Operation;
  readonly summary: string;
  readonly count: number;
}

/** Names of the files that a crash left. */
function sweep(settings: Settings, reporter: Reporter): Promise<readonly string[]> {
  return sweepMaildrop(settings.string('queue_directory'), reporter.warnNow);
}

/** What was done, or what went wrong. Structure checks have no counterpart: the store sees to it. */
async function runOption(
  { letter, value }: GivenOption,
  queues: readonly QueueName[] | undefined,
  settings: Settings,
  io: CliIo,
  reporter: Reporter,
): Promise<readonly Done[] | string> {
  const queueIds = actions[letter] === undefined ? undefined : await idsOf(value, io);
  for (const id of queueIds?.filter((word) => !isQueueId(word)) ?? []) {
    await reporter.warn(`invalid mail queue id: ${id}`);
  }
  const done: Done[] = [];
  for (const action of actions[letter] ?? []) {
    const { operation, one, summary } = action;
    const selector = {
      ...(queueIds === undefined ? {} : { queueIds }),
      queues: action.queues.filter((name) => queues === undefined || queues.includes(name)),
    };
    const changed = await change(operation, selector, settings, reporter);
    if (typeof changed === 'string') return changed;
    // of ALL only the number is said
    for (const id of queueIds === undefined ? [] : changed) await reporter.info(`${id}: ${one}`);
    done.push({ operation, summary, count: changed.length });
  }
  return done;
}

/** The queue IDs of what was changed, or what went wrong. */
async function change(
  operation: Operation,
  selector: MessageSelector,
  settings: Settings,
  reporter: Reporter,
): Promise<readonly string[] | string> {
  const directory = settings.string('queue_directory');
  const answer = await askSystem(directory, 'private', { operation, ...selector });
  if (answer.kind === 'failed') return answer.reason;
  const warn = reporter.warnNow;
  const options = { directory, longQueueIds: settings.bool('enable_long_queue_ids'), warn };
  const changed =
    answer.kind === 'ok' ? answer.changed : await withStore(options, (store) => store[operation](selector));
  if (typeof changed === 'string') return changed;
  if (operation !== 'remove' || selector.queues?.includes('maildrop') !== true) return changed;
  return [...changed, ...(await removeFromMaildrop(directory, selector.queueIds, warn))];
}

/** `ALL`: undefined; `-`: from standard input, one a line. */
async function idsOf(target: string, io: CliIo): Promise<readonly string[] | undefined> {
  if (target === 'ALL') return undefined;
  if (target !== '-') return [target];
  let text = '';
  for await (const chunk of io.stdin) text += chunk.toString('utf8');
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

/** Where nothing was ever queued no database is made: it would belong to root, and the system could not open it. */
async function withStore(
  options: StoreOptions,
  use: (store: QueueStore) => Promise<readonly string[]>,
): Promise<readonly string[] | string> {
  if (!existsSync(`${options.directory}/posthorn.db`)) return [];
  let store: QueueStore;
  try {
    store = await openStore(options);
  } catch (error) {
    // it is root's still, when root has unpacked it and nothing was started since
    return thrownText(error);
  }
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}
