/** The services that speak TLS, to clients or to servers. */
import type { Configuration } from '#config';
import { TableOpener } from '#tables';
import {
  clientTlsParameters,
  keyFilePaths,
  type KeyFiles,
  type KeyParameters,
  type LevelParameters,
  postscreenParameters,
  readKeyFiles,
  smtpdParameters,
  type TlsService,
} from '#tls';

export interface NamedService extends TlsService<KeyParameters & LevelParameters> {
  /** It speaks TLS to servers. */
  readonly isClient: boolean;
}

/** By the program that they run. */
const namesOf: ReadonlyMap<string, Omit<NamedService, 'settings'>> = new Map([
  ['smtpd', { names: smtpdParameters, isClient: false }],
  ['postscreen', { names: postscreenParameters, isClient: false }],
  ['smtp', { names: clientTlsParameters('smtp'), isClient: true }],
  ['lmtp', { names: clientTlsParameters('lmtp'), isClient: true }],
]);

export function tlsServices(configuration: Pick<Configuration, 'services' | 'settingsFor'>): readonly NamedService[] {
  return configuration.services.flatMap((entry) => {
    const names = namesOf.get(entry.command);
    return names === undefined ? [] : [{ settings: configuration.settingsFor(entry), ...names }];
  });
}

/** Where their certificates and keys are. */
export function tlsFilePaths(configuration: Configuration): readonly string[] {
  return keyFilePaths(tlsServices(configuration));
}

/** The files that TLS services need; to be called before this process stops being root. */
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
