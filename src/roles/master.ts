/** The supervisor's process. Tells its starter on descriptor 4 whether the system came up. */
import { writeSync } from 'node:fs';
import { ConfigError, loadConfiguration, mailOwner } from '#config';
import { type EventChannel, EventLog, panicOf } from '#events';
import { masterEngineOptions, openLogFile, Supervisor } from '#master';
import { returnMemoryWhenQuiet, trimAllocator } from '#native';
import { watchFiles } from './file-watch.ts';
import { RunningLog } from './mail-log.ts';
import { nameProcess } from './process-name.ts';
import { secretTablePaths } from './secret-tables.ts';
import { tlsFilePaths } from './tls-services.ts';
import { productVersion } from './version.ts';

/** Descriptor over which `postfix start` waits for the outcome. */
const reportFd = 4;

function report(text: string): void {
  try {
    writeSync(reportFd, text);
  } catch {
    // started in the foreground: nobody waits
  }
}

/** Certificates are renewed without a reload: Postfix reads them whenever one of its processes begins anew. */
const keyCheckMs = 10_000;

/** What mail reads as root, at its start only. None while the configuration is broken: whoever reloads is told of it. */
function filesReadAsRoot(directory: string): readonly string[] {
  try {
    const configuration = loadConfiguration(directory);
    return [...tlsFilePaths(configuration), ...secretTablePaths(configuration)];
  } catch (error) {
    if (error instanceof ConfigError) return [];
    throw error;
  }
}

/** Arguments: configuration directory, queue directory (so that the process can be recognised). */
export async function main(args: readonly string[]): Promise<void> {
  const [directory = ''] = args;
  nameProcess('master');
  let supervisor: Supervisor;
  let log: EventLog;
  let events: EventChannel;
  try {
    const { settings } = loadConfiguration(directory);
    const owner = mailOwner(settings);
    const sink = new RunningLog(settings, openLogFile(settings, owner));
    log = new EventLog([sink]);
    events = log.channel(`${settings.string('syslog_name')}/master`);
    supervisor = new Supervisor({
      directory,
      entry: [...process.execArgv.filter((one) => !masterEngineOptions.includes(one)), process.argv[1] ?? ''],
      version: productVersion,
      owner,
      logFd: () => sink.fd,
      reopenLog: (changed) => {
        log.flush();
        return sink.reopen(changed, owner);
      },
      events,
      spawnEvents: log.channel(`${settings.string('syslog_name')}/spawn`),
      flushLog: () => log.flush(),
    });
  } catch (error) {
    const isTheirs = error instanceof ConfigError;
    report(JSON.stringify({ problems: isTheirs ? error.problems : [String(error)] }));
    if (!isTheirs) throw error;
    process.exitCode = 1;
    return;
  }
  // what ends this process, and mail with it, leaves a trace
  process.on('uncaughtExceptionMonitor', (error) => {
    events.emit(panicOf(error));
    log.flush();
  });
  const stop = (signal: number): void => {
    void supervisor.stop(signal).then(() => {
      log.flush();
      process.exit(0);
    });
  };
  process.on('SIGTERM', () => stop(15));
  process.on('SIGINT', () => stop(2));
  let keyPaths: readonly string[] = [];
  const look = (): void => {
    try {
      keyPaths = filesReadAsRoot(directory);
    } catch (error) {
      events.emit(panicOf(error, 'certificates, keys and tables of root are not looked at: '));
    }
  };
  const reload = async (): Promise<void> => {
    const refused = await supervisor.reload();
    log.flush();
    supervisor.markReloaded(refused);
    look();
  };
  process.on('SIGHUP', () => void reload());
  const problems = await supervisor.start();
  log.flush();
  report(JSON.stringify({ problems }));
  if (problems.length > 0) process.exit(1);
  look();
  returnMemoryWhenQuiet(trimAllocator);
  watchFiles({
    paths: () => keyPaths,
    intervalMs: keyCheckMs,
    onChange: () => {
      events.emit({ kind: 'note', text: 'certificates, keys or tables of root have changed: they are read again' });
      void reload();
    },
  });
}
