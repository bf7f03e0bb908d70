/** The supervisor's process. Tells its starter on standard output of descriptor 4 whether the system came up. */
import { writeSync } from 'node:fs';
import { ConfigError, loadConfiguration } from '#config';
import { EventLog } from '#events';
import { openLogFile, Supervisor } from '#master';
import { mailOwner } from './mail-owner.ts';
import { mailLogSink } from './mail-log.ts';
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

/** Arguments: configuration directory, queue directory (so that the process can be recognised). */
export async function main(args: readonly string[]): Promise<void> {
  const [directory = ''] = args;
  let supervisor: Supervisor;
  let log: EventLog;
  try {
    const { settings } = loadConfiguration(directory);
    const owner = mailOwner(settings);
    const logFd = openLogFile(settings, owner);
    log = new EventLog([mailLogSink(settings, logFd)]);
    supervisor = new Supervisor({
      directory,
      entry: [...process.execArgv, process.argv[1] ?? ''],
      version: productVersion,
      owner,
      logFd,
      events: log.channel(`${settings.string('syslog_name')}/master`),
      spawnEvents: log.channel(`${settings.string('syslog_name')}/spawn`),
      flushLog: () => log.flush(),
    });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    report(JSON.stringify({ problems: error.problems }));
    process.exitCode = 1;
    return;
  }
  const stop = (signal: number): void => {
    void supervisor.stop(signal).then(() => {
      log.flush();
      process.exit(0);
    });
  };
  process.on('SIGTERM', () => stop(15));
  process.on('SIGINT', () => stop(2));
  process.on('SIGHUP', () => void supervisor.reload());
  const problems = await supervisor.start();
  log.flush();
  report(JSON.stringify({ problems }));
  if (problems.length > 0) process.exit(1);
}
