/** The mail log as a command of an ordinary user can reach it. */
import { ConfigError, type Settings } from '#config';
import type { EventLog } from '#events';

/** Undefined where this user may not write the log, or where it is the standard output of the running system. */
export async function openCommandLog(settings: Settings): Promise<EventLog | undefined> {
  if (settings.string('maillog_file') === '/dev/stdout') return undefined;
  // loaded when something is to be told, which is rare
  const { EventLog } = await import('#events');
  const { openMailLog } = await import('#roles');
  try {
    return new EventLog([await openMailLog(settings)]);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return undefined;
  }
}
