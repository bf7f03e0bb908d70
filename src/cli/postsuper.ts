/** postsuper(1): removes, holds, releases and expires messages. For root and $mail_owner. */
import { ConfigError, findConfigDirectory, openSettings, type Settings } from '#config';
import { openStore, type QueueStore } from '#store';
import { askSystem } from './control-client.ts';
import type { CliIo } from './io.ts';

type Operation = 'remove' | 'hold' | 'release' | 'expire';

const operations: Readonly<Record<string, readonly [operation: Operation, one: string, summary: string]>> = {
  d: ['remove', 'removed', 'Deleted'],
  h: ['hold', 'placed on hold', 'Placed on hold'],
  H: ['release', 'released from hold', 'Released from hold'],
  e: ['expire', 'expired', 'Force-expired'],
  f: ['expire', 'expired', 'Force-expired'],
};

const queueNames = ['incoming', 'active', 'deferred', 'hold', 'corrupt'];

interface Job {
  readonly flag: string;
  readonly target: string;
}

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const jobs: Job[] = [];
  const queues: string[] = [];
  let directory: string | undefined;
  for (let i = 0; i < args.length; i += 1) {
    const arg = args[i] ?? '';
    const flag = arg.startsWith('-') ? arg.charAt(1) : '';
    if (flag === '') queues.push(arg);
    else if (flag === 'c' || operations[flag] !== undefined) {
      const value = arg.length > 2 ? arg.slice(2) : (args[(i += 1)] ?? '');
      if (flag === 'c') directory = value;
      else jobs.push({ flag, target: value });
    } else if (!['p', 's', 'S', 'v'].includes(flag)) {
      io.stderr(
        `postsuper: invalid option -- '${flag}'\npostsuper: fatal: usage: postsuper [-c config_dir] [-d queue_id (delete)] [-e queue_id (expire)] [-f queue_id (expire and/or un-hold)] [-h queue_id (hold)] [-H queue_id (un-hold)] [-p (purge temporary files)] [-r queue_id (requeue)] [-s (structure check)] [-v (verbose)] [queue...]\n`,
      );
      return 1;
    }
  }
  const unknown = queues.find((name) => !queueNames.includes(name));
  if (unknown !== undefined) {
    io.stderr(`postsuper: fatal: invalid queue name: ${unknown}\n`);
    return 1;
  }
  let settings: Settings;
  try {
    settings = openSettings(findConfigDirectory(directory, io.env)).settings;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const text of error.problems) io.stderr(`postsuper: fatal: ${text}\n`);
    return 1;
  }
  for (const job of jobs) {
    const status = await runJob(job, queues, settings, io);
    if (status !== 0) return status;
  }
  return 0;
}

async function idsOf(target: string, io: CliIo): Promise<readonly string[] | undefined> {
  if (target === 'ALL') return undefined;
  if (target !== '-') return [target];
  let text = '';
  for await (const chunk of io.stdin) text += chunk.toString('utf8');
  return text.split(/\s+/).filter((word) => word !== '');
}

async function runJob(
  { flag, target }: Job,
  queues: readonly string[],
  settings: Settings,
  io: CliIo,
): Promise<number> {
  const [operation, one, summary] = operations[flag] ?? (['remove', 'removed', 'Deleted'] as const);
  const queueIds = await idsOf(target, io);
  const selector = { ...(queueIds === undefined ? {} : { queueIds }), ...(queues.length === 0 ? {} : { queues }) };
  const queueDirectory = settings.string('queue_directory');
  const answer = await askSystem(queueDirectory, 'private', { operation, ...selector });
  let changed: readonly string[];
  if (answer.kind === 'failed') {
    io.stderr(`postsuper: fatal: ${answer.reason}\n`);
    return 1;
  }
  if (answer.kind === 'ok') changed = answer.changed;
  else
    changed = await withStore(queueDirectory, (store) => store[operation](queueIds === undefined ? {} : { queueIds }));
  for (const id of changed) io.stderr(`postsuper: ${id}: ${one}\n`);
  if (changed.length > 0)
    io.stderr(`postsuper: ${summary}: ${changed.length} message${changed.length === 1 ? '' : 's'}\n`);
  return 0;
}

async function withStore<T>(directory: string, use: (store: QueueStore) => Promise<T>): Promise<T> {
  const store = await openStore({ directory, longQueueIds: false, warn: () => undefined });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}
