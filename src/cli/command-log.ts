/** The mail log as a command of an ordinary user can reach it. */
import { ConfigError, type Settings } from '#config';
import type { EventLog, LogSink } from '#events';

/**
 * Without settings: syslog, as long as nobody can tell of another place. Undefined where this user reaches no log.
 * `speaksToSystem`: who may not write the file, or where it is the standard output of the running system, has that system do
 * it, as Postfix's commands do through postlogd(8).
 */
export async function openCommandLog(
  settings: Settings | undefined,
  speaksToSystem = false,
): Promise<EventLog | undefined> {
  // loaded when something is to be told, which is rare
  const { EventLog } = await import('#events');
  const sink = await sinkOf(settings, speaksToSystem);
  return sink && new EventLog([sink]);
}

async function sinkOf(settings: Settings | undefined, speaksToSystem: boolean): Promise<LogSink | undefined> {
  const { openMailLog, openSyslogSink } = await import('#roles');
  if (settings === undefined) return openSyslogSink();
  try {
    if (settings.string('maillog_file') !== '/dev/stdout') return await openMailLog(settings);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
  }
  if (!speaksToSystem) return undefined;
  const { systemLogSink } = await import('./system-log.ts');
  return systemLogSink(settings);
}
