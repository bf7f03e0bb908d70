/** The services that speak TLS to clients. */
import type { Configuration } from '#config';
import { TableOpener } from '#tables';
import { type KeyFiles, postscreenParameters, readKeyFiles, smtpdParameters, type TlsParameters } from '#tls';

/** By the program that they run. */
const parametersOf: ReadonlyMap<string, TlsParameters> = new Map([
  ['smtpd', smtpdParameters],
  ['postscreen', postscreenParameters],
]);

/** What they need of files; read as root where this process still is root. */
export function readTlsFiles(configuration: Configuration): KeyFiles {
  const { services, settings, directory } = configuration;
  const tlsServices = services.flatMap((entry) => {
    const names = parametersOf.get(entry.command);
    return names === undefined ? [] : [{ settings: configuration.settingsFor(entry), names }];
  });
  // the services themselves say what is wrong with a table
  const tables = new TableOpener({ settings, configDirectory: directory, warn: () => undefined });
  try {
    return readKeyFiles(tlsServices, (spec) => tables.open(spec));
  } finally {
    tables.closeAll();
  }
}
