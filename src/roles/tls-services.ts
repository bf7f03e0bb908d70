/** The services that speak TLS to clients. */
import type { Configuration } from '#config';
import { TableOpener } from '#tables';
import {
  keyFilePaths,
  type KeyFiles,
  postscreenParameters,
  readKeyFiles,
  smtpdParameters,
  type TlsParameters,
  type TlsService,
} from '#tls';

/** By the program that they run. */
const parametersOf: ReadonlyMap<string, TlsParameters> = new Map([
  ['smtpd', smtpdParameters],
  ['postscreen', postscreenParameters],
]);

export function tlsServices(configuration: Pick<Configuration, 'services' | 'settingsFor'>): readonly TlsService[] {
  return configuration.services.flatMap((entry) => {
    const names = parametersOf.get(entry.command);
    return names === undefined ? [] : [{ settings: configuration.settingsFor(entry), names }];
  });
}

/** Where their certificates and keys are. */
export function tlsFilePaths(configuration: Configuration): readonly string[] {
  return keyFilePaths(tlsServices(configuration));
}

/** What they need of files; read as root where this process still is root. */
export function readTlsFiles(configuration: Configuration): KeyFiles {
  const { settings, directory } = configuration;
  // the services themselves say what is wrong with a table
  const tables = new TableOpener({ settings, configDirectory: directory, warn: () => undefined });
  try {
    return readKeyFiles(tlsServices(configuration), (spec) => tables.open(spec));
  } finally {
    tables.closeAll();
  }
}
