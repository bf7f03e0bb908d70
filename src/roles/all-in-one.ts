/** All of it in one process, as the user who started it: the quick start, and installations without root. */
import { ConfigError, loadConfiguration } from '#config';
import { createLocalPool } from '#delivery';
import { EventLog } from '#events';
import { listenAddresses, openLogFile, removePidFile, SpawnServices, writePidFile } from '#master';
import { becomeMailOwner } from './become-user.ts';
import { startMailSystem } from './mail-system.ts';
import { mailLogSink } from './mail-log.ts';
import { productVersion } from './version.ts';

export interface AllInOneOptions {
  readonly directory: string;
  /** Whom root becomes before anything is started. */
  readonly runAs?: { readonly uid: number; readonly gid: number };
  /** Called once it listens, with what it listens on. */
  readonly onReady: (addresses: readonly string[]) => void;
  /** Called when it can't start. */
  readonly onProblems: (problems: readonly string[]) => void;
}

function describe(error: unknown, directory: string): string {
  if (!(error instanceof Error)) return String(error);
  if (!('code' in error && error.code === 'EADDRINUSE')) return error.message;
  return `${error.message}; it runs already, or another program has that port: the port is set in ${directory}/master.cf`;
}

/** Runs until a signal ends it; gives the exit status. */
export async function runAllInOne({ directory, runAs, onReady, onProblems }: AllInOneOptions): Promise<number> {
  let log: EventLog | undefined;
  if (runAs !== undefined) becomeMailOwner(runAs);
  try {
    const configuration = loadConfiguration(directory);
    const { settings, services } = configuration;
    log = new EventLog([mailLogSink(settings, openLogFile(settings))]);
    const events = log.channel(`${settings.string('syslog_name')}/master`);
    const listeners = [];
    for (const entry of services.filter((service) => service.type === 'inet')) {
      for (const address of await listenAddresses(entry, configuration.settingsFor(entry)))
        listeners.push({ service: entry.name, ...address });
    }
    const spawnEvents = log.channel(`${settings.string('syslog_name')}/spawn`);
    const spawnServices = new SpawnServices({ configuration, events: spawnEvents });
    const system = await startMailSystem({
      configuration,
      log,
      listeners,
      deliverers: createLocalPool(process.getuid?.() ?? 0, settings.ms('daemon_timeout')),
    });
    // only now: where another one listens already, the file is that one's
    const queueDirectory = settings.string('queue_directory');
    writePidFile(queueDirectory);
    await spawnServices.listen();
    events.emit({ kind: 'daemonStarted', version: productVersion, directory });
    log.flush();
    onReady(listeners.map(({ address, port }) => `${address.includes(':') ? `[${address}]` : address}:${port}`));
    const signal = await new Promise<number>((resolve) => {
      process.once('SIGHUP', () => resolve(1));
      process.once('SIGINT', () => resolve(2));
      process.once('SIGTERM', () => resolve(15));
    });
    events.emit({ kind: 'terminating', signal });
    spawnServices.close();
    await system.stop();
    removePidFile(queueDirectory);
    log.flush();
    return 0;
  } catch (error) {
    log?.flush();
    if (error instanceof ConfigError) onProblems(error.problems);
    else onProblems([describe(error, directory)]);
    // what was started before the trouble would keep the process
    process.exit(1);
  }
}
