/** `postmulti -e deport` and `-e destroy`: an instance off the list, with what this program has made for it. postmulti(1) */
import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  openSync,
  readdirSync,
  rmdirSync,
  type Stats,
  unlinkSync,
} from 'node:fs';
import { isQueueLocked, runningMaster } from '#master';
import { errnoOf } from '#native';
import { storeFileNames } from '#store';
import { type Instances, othersOf, placesOf, requireEnabled, ScriptError, setDirectories } from './edit.ts';
import { type Instance, MultiError } from './instances.ts';

/** Gives what stays of a destroyed instance, because somebody else put something there. */
export async function drop(instance: Instance, instances: Instances, destroys: boolean): Promise<readonly string[]> {
  if (instance.isPrimary) throw new MultiError('Cannot remove the primary instance');
  if (instance.isEnabled) throw new MultiError('Cannot remove enabled instances');
  requireEnabled(instances);
  const { directory } = instance;
  const { queue_directory: queue } = placesOf(instance);
  // Postfix's own master holds the lock too
  if (runningMaster(queue) !== undefined || isQueueLocked(queue))
    throw new ScriptError(`Instance '${directory}' is not stopped`);
  if (destroys && (await holdsMail(queue))) throw new ScriptError(`Instance '${directory}' has mail in its queue`);
  setDirectories(
    instances[0],
    othersOf(instances).filter((other) => other !== directory),
    { directory, isAlternate: !destroys },
  );
  return destroys
    ? madeFor(instance)
        .filter((made) => !isRemoved(made))
        .map(({ path }) => path)
    : [];
}

/** Whether mail waits there, for its delivery or to be taken up. */
async function holdsMail(queue: string): Promise<boolean> {
  if (existsSync(`${queue}/maildrop`) && readdirSync(`${queue}/maildrop`).length > 0) return true;
  if (!existsSync(`${queue}/posthorn.db`)) return false;
  const { openStore, StoreError } = await import('#store');
  try {
    const store = await openStore({ directory: queue, longQueueIds: false, warn: () => undefined });
    try {
      for await (const message of store.list()) return message.queueId !== '';
      return false;
    } finally {
      await store.close();
    }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new ScriptError(`whether mail is in ${queue} can't be told: ${error.message}`);
  }
}

interface MadeDirectory {
  readonly path: string;
  /** What is in it that goes with it; by default nothing. */
  readonly isOurs?: (name: string, status: Stats) => boolean;
  /** Root's parent directory holds it: a link there is the operator's. */
  readonly mayBeLink?: boolean;
}

const isOneOf =
  (...names: readonly string[]) =>
  (name: string, status: Stats): boolean =>
    names.includes(name) && !status.isDirectory();
const isSocket = (_name: string, status: Stats): boolean => status.isSocket();

/** Those of Postfix, for an instance that came from there. They are empty, or stay. */
const postfixQueues = ['active', 'bounce', 'defer', 'deferred', 'flush', 'hold', 'incoming', 'saved', 'trace'];

/** Those inside others first. */
function madeFor(instance: Instance): readonly MadeDirectory[] {
  const { config_directory: directory, queue_directory: queue, data_directory: data } = placesOf(instance);
  const mayBeLink = true;
  return [
    { path: `${queue}/pid`, isOurs: isOneOf('master.pid', 'reload.refused') },
    { path: `${queue}/public`, isOurs: isSocket },
    { path: `${queue}/private`, isOurs: isSocket },
    // databases that were damaged are kept in corrupt
    ...['maildrop', 'corrupt', ...postfixQueues].map((name) => ({ path: `${queue}/${name}` })),
    { path: queue, isOurs: isOneOf(...storeFileNames), mayBeLink },
    { path: data, isOurs: isOneOf('master.lock'), mayBeLink },
    { path: directory, isOurs: isOneOf('main.cf', 'master.cf'), mayBeLink },
  ];
}

/** Removes what is ours there, and the directory when nothing else is in it. True where there is none any more. */
function isRemoved({ path, isOurs, mayBeLink = false }: MadeDirectory): boolean {
  try {
    if (isOurs !== undefined) clear(path, isOurs, mayBeLink);
    rmdirSync(path);
    return true;
  } catch (error) {
    return errnoOf(error) === 'ENOENT';
  }
}

/** By way of a descriptor: below the queue directory its owner could put a link in the place of what was looked at. */
function clear(path: string, isOurs: (name: string, status: Stats) => boolean, mayBeLink: boolean): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | (mayBeLink ? 0 : constants.O_NOFOLLOW));
  try {
    const here = `/proc/self/fd/${fd}`;
    for (const name of readdirSync(here)) if (isOurs(name, lstatSync(`${here}/${name}`))) unlinkSync(`${here}/${name}`);
  } finally {
    closeSync(fd);
  }
}
