/** The mail log as a command of an ordinary user can reach it. */
import { ConfigError, type Settings } from '#config';
import type { EventLog, LogSink } from '#events';

/**
 * Without settings: syslog, as long as nobody can tell of another place. Undefined where this user reaches no log, as
 * Postfix's set-group-ID commands do through postlogd(8), or where it is the standard output of the running system.
 */
export async function openCommandLog(settings: Settings | undefined): Promise<EventLog | undefined> {
  if (settings?.string('maillog_file') === '/dev/stdout') return undefined;
  // loaded when something is to be told, which is rare
  const { EventLog } = await import('#events');
  const sink = await sinkOf(settings);
  return sink && new EventLog([sink]);
}

async function sinkOf(settings: Settings | undefined): Promise<LogSink | undefined> {
  const { openMailLog, openSyslogSink } = await import('#roles');
  if (settings === undefined) return openSyslogSink();
  try {
    return await openMailLog(settings);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { systemLogSink } = await import('./system-log.ts');
    return systemLogSink(settings);
  }
}
