/** postsuper(1): removes, holds, releases, requeues and expires messages. For root and $mail_owner. */
import { existsSync } from 'node:fs';
import { ConfigError, findConfigDirectory, openSettings, type Settings } from '#config';
import { openStore, type QueueStore, type StoreOptions } from '#store';
import { askSystem } from './control-client.ts';
import { type GivenOption, lastValue, parseOptions } from './getopt.ts';
import type { CliIo } from './io.ts';

type Operation = 'remove' | 'hold' | 'release' | 'requeue' | 'expire';
type QueueWord = (typeof queueNames)[number];

interface Action {
  readonly operation: Operation;
  /** What is said of each message. */
  readonly one: string;
  readonly summary: string;
  readonly queues: readonly QueueWord[];
}

const queueNames = ['hold', 'incoming', 'active', 'deferred', 'corrupt', 'maildrop'] as const;
const allMail = ['hold', 'incoming', 'active', 'deferred'] as const;

const actions: Readonly<Record<string, readonly Action[]>> = {
  d: [{ operation: 'remove', one: 'removed', summary: 'Deleted', queues: allMail }],
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

/** What could name a message at all. */
const validQueueId = /^[0-9A-Za-z]{1,255}$/;

const usage =
  'usage: postsuper [-c config_dir] [-d queue_id (delete)] [-e queue_id (expire)] [-f queue_id (expire and/or un-hold)] ' +
  '[-h queue_id (hold)] [-H queue_id (un-hold)] [-p (purge temporary files)] [-r queue_id (requeue)] ' +
  '[-s (structure fix)] [-S (redundant structure fix)][-v (verbose)] [queue...]';

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const say = (text: string): void => io.stderr(`postsuper: ${text}\n`);
  const parsed = parseOptions(args, 'c:d:e:f:h:H:pr:sSv');
  if (parsed.kind === 'invalid') {
    say(parsed.problem);
    say(`fatal: ${usage}`);
    return 1;
  }
  const { options, operands } = parsed;
  const queues = queueNames.filter((name) => operands.includes(name));
  const unknown = operands.find((name) => !queues.some((known) => known === name));
  if (unknown !== undefined) {
    say(`fatal: invalid directory name: ${unknown}`);
    return 1;
  }
  let settings: Settings;
  try {
    settings = openSettings(findConfigDirectory(lastValue(options, 'c'), io.env)).settings;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const text of error.problems) say(`fatal: ${text}`);
    return 1;
  }
  for (const option of options) {
    const problem = await runOption(option, queues, settings, io);
    if (problem === undefined) continue;
    say(`fatal: ${problem}`);
    return 1;
  }
  return 0;
}

/** Gives what went wrong. Structure checks and left temporary files have no counterpart: the store sees to both. */
async function runOption(
  { letter, value }: GivenOption,
  queues: readonly QueueWord[],
  settings: Settings,
  io: CliIo,
): Promise<string | undefined> {
  const queueDirectory = settings.string('queue_directory');
  const queueIds = actions[letter] === undefined ? undefined : await idsOf(value, io);
  for (const id of queueIds?.filter((word) => !validQueueId.test(word)) ?? [])
    io.stderr(`postsuper: warning: invalid mail queue id: ${id}\n`);
  const longQueueIds = settings.bool('enable_long_queue_ids');
  for (const action of actions[letter] ?? []) {
    const selector = {
      ...(queueIds === undefined ? {} : { queueIds }),
      queues: action.queues.filter((name) => queues.length === 0 || queues.includes(name)),
    };
    const answer = await askSystem(queueDirectory, 'private', { operation: action.operation, ...selector });
    if (answer.kind === 'failed') return answer.reason;
    const changed =
      answer.kind === 'ok'
        ? answer.changed
        : await withStore(
            { directory: queueDirectory, longQueueIds, warn: (text) => io.stderr(`postsuper: warning: ${text}\n`) },
            (store) => store[action.operation](selector),
          );
    // of ALL only the number is said
    for (const id of queueIds === undefined ? [] : changed) io.stderr(`postsuper: ${id}: ${action.one}\n`);
    io.stderr(`postsuper: ${action.summary}: ${changed.length} message${changed.length === 1 ? '' : 's'}\n`);
  }
  return undefined;
}

/** `ALL`: undefined; `-`: from standard input, one a line. */
async function idsOf(target: string, io: CliIo): Promise<readonly string[] | undefined> {
  if (target === 'ALL') return undefined;
  if (target !== '-') return [target];
  let text = '';
  for await (const chunk of io.stdin) text += chunk.toString('utf8');
  return text.split(/\s+/).filter((word) => word !== '');
}

/** Where nothing was ever queued no database is made: it would belong to root, and the system could not open it. */
async function withStore(
  options: StoreOptions,
  use: (store: QueueStore) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  if (!existsSync(`${options.directory}/posthorn.db`)) return [];
  const store = await openStore(options);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}
