/** What keeps the supervisor from starting: the log, addresses of services, commands that spawn(8) runs. */
import { closeSync } from 'node:fs';
import type { Configuration } from '#config';
import { EventLog } from '#events';
import { listenAddresses } from './listen-addresses.ts';
import { openLogFile } from './log-file.ts';
import { SpawnServices } from './spawn-services.ts';

/** Does what a start does before it opens sockets. Throws the ConfigError of the first thing that can't be. */
export async function tryToSupervise(configuration: Configuration): Promise<void> {
  const { settings, services } = configuration;
  const logFd = openLogFile(settings);
  if (logFd !== undefined && settings.string('maillog_file') !== '/dev/stdout') closeSync(logFd);
  for (const entry of services.filter(({ type }) => type === 'inet')) {
    await listenAddresses(entry, configuration.settingsFor(entry));
  }
  new SpawnServices({ configuration, events: new EventLog([]).channel('') }).close();
}
