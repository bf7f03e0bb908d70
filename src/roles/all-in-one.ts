/** All of it in one process, as the user who started it: the quick start, and installations without root. */
import { existsSync } from 'node:fs';
import { ConfigError, loadConfiguration, placeOf, type Settings } from '#config';
import { createLocalPool } from '#delivery';
import { EventLog } from '#events';
import { listenAddresses, type Locking, lockSystem, openLogFile, SpawnServices, type SystemLocks } from '#master';
import { becomeMailOwner, returnMemoryWhenQuiet, trimAllocator } from '#native';
import { startMailSystem } from './mail-system.ts';
import { mailLogSink } from './mail-log.ts';
import { productVersion } from './version.ts';

export interface AllInOneOptions {
  readonly directory: string;
  /** Whom root becomes before anything is started. */
  readonly runAs?: { readonly uid: number; readonly gid: number };
  /** Called once it listens, with what it listens on. */
  readonly onReady: (addresses: readonly string[]) => void;
  /** Called when another system works on this queue, or with this data. */
  readonly onTaken: () => void;
  /** Called when it can't start for another reason. */
  readonly onProblems: (problems: readonly string[]) => void;
}

const portReasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program has that port',
  EACCES: 'that port is for root',
};

function describe(error: unknown, directory: string): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'syscall' in error && error.syscall === 'listen' && 'code' in error ? error.code : undefined;
  const reason = typeof code === 'string' ? portReasons[code] : undefined;
  return reason === undefined ? error.message : `${error.message}; ${reason}: it is set in ${directory}/master.cf`;
}

/** A directory of mail that is not there was moved, or removed. */
function checkQueue(settings: Settings): void {
  const queue = settings.string('queue_directory');
  if (existsSync(queue)) return;
  const problem = `queue_directory = ${queue}: no such directory; if it was moved, write where it and its neighbours are now`;
  throw new ConfigError([`${placeOf(settings.origin('queue_directory'))}${problem}`]);
}

/** As who we are by now: the directories are ours. */
function lockFor(settings: Settings): Locking {
  return lockSystem({
    queueDirectory: settings.string('queue_directory'),
    dataDirectory: settings.string('data_directory'),
    owner: undefined,
  });
}

/** Runs until a signal ends it; gives the exit status. */
export async function runAllInOne(options: AllInOneOptions): Promise<number> {
  const { directory, runAs, onReady, onTaken, onProblems } = options;
  let log: EventLog | undefined;
  let locks: SystemLocks | undefined;
  if (runAs !== undefined) becomeMailOwner(runAs);
  try {
    const configuration = loadConfiguration(directory);
    const { settings, services } = configuration;
    checkQueue(settings);
    const locking = lockFor(settings);
    if (locking.kind === 'held') locks = locking.locks;
    else if (locking.kind === 'failed') throw new ConfigError([locking.problem]);
    else {
      onTaken();
      return 1;
    }
    log = new EventLog([mailLogSink(settings, openLogFile(settings))]);
    const events = log.channel(`${settings.string('syslog_name')}/master`);
    const places = [];
    for (const entry of services.filter((service) => service.type === 'inet')) {
      for (const address of await listenAddresses(entry, configuration.settingsFor(entry)))
        places.push({ service: entry.name, command: entry.command, ...address });
    }
    const listeners = places.filter(({ command }) => command !== 'spawn');
    const spawnEvents = log.channel(`${settings.string('syslog_name')}/spawn`);
    const spawnServices = new SpawnServices({ configuration, events: spawnEvents });
    const system = await startMailSystem({
      configuration,
      log,
      listeners,
      deliverers: createLocalPool(process.getuid?.() ?? 0, settings.ms('daemon_timeout')),
    });
    await spawnServices.listen(places);
    events.emit({ kind: 'daemonStarted', version: productVersion, directory });
    log.flush();
    returnMemoryWhenQuiet(trimAllocator);
    onReady(listeners.map(({ address, port }) => `${address.includes(':') ? `[${address}]` : address}:${port}`));
    const signal = await new Promise<number>((resolve) => {
      process.once('SIGHUP', () => resolve(1));
      process.once('SIGINT', () => resolve(2));
      process.once('SIGTERM', () => resolve(15));
    });
    events.emit({ kind: 'terminating', signal });
    spawnServices.close();
    await system.stop();
    log.flush();
    locks?.release();
    return 0;
  } catch (error) {
    log?.flush();
    locks?.release();
    if (error instanceof ConfigError) onProblems(error.problems);
    else onProblems([describe(error, directory)]);
    // what was started before the trouble would keep the process
    process.exit(1);
  }
}
