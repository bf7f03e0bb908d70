/** Certificates and keys: read while the process is still root, since keys are root's alone. TLS_README */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '#config';
import type { TlsParameters } from './parameters.ts';

/** Path → content; undefined for a file that can't be read. */
export type KeyFiles = ReadonlyMap<string, Buffer | undefined>;

export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** Files with certificate and key together, or pairs of them; none: there is no certificate. */
export function keyPairs(settings: Settings, names: TlsParameters): readonly KeyPair[] {
  const chains = settings.list(names.chainFiles);
  if (chains.length > 0) return chains.map((file) => ({ certificate: file, key: file }));
  return names.keyPairs
    .map(([certificate, key]) => ({ certificate: settings.string(certificate), key: settings.string(key) }))
    .filter(({ certificate }) => certificate !== '' && certificate !== 'none')
    .map(({ certificate, key }) => ({ certificate, key: key === '' ? certificate : key }));
}

function contentOf(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    // told of by whoever asks for it
    return undefined;
  }
}

/** The certificates of a directory that c_rehash(1) has named. */
function authoritiesIn(directory: string): Buffer | undefined {
  try {
    const names = readdirSync(directory).filter((name) => /^[0-9a-f]{8}\.\d+$/.test(name));
    const contents = names.flatMap((name) => contentOf(join(directory, name)) ?? []);
    return Buffer.concat(contents.flatMap((content) => [content, Buffer.from('\n')]));
  } catch {
    // told of by whoever asks for it
    return undefined;
  }
}

/** Names of files besides those of keys that a service's settings give; '' and words are none. */
function otherFiles(settings: Settings, names: TlsParameters): readonly string[] {
  return [names.authorityFile, names.finiteField]
    .map((name) => settings.string(name))
    .filter((path) => path.startsWith('/'));
}

export interface TlsService {
  readonly settings: Settings;
  readonly names: TlsParameters;
}

/** What the services of a configuration need. */
export function readKeyFiles(services: readonly TlsService[]): KeyFiles {
  const files = services.flatMap(({ settings, names }) => [
    ...keyPairs(settings, names).flatMap(({ certificate, key }) => [certificate, key]),
    ...otherFiles(settings, names),
  ]);
  const directories = services
    .map(({ settings, names }) => settings.string(names.authorityDirectory))
    .filter((path) => path !== '');
  return new Map([
    ...[...new Set(files)].map((path) => [path, contentOf(path)] as const),
    ...[...new Set(directories)].map((path) => [path, authoritiesIn(path)] as const),
  ]);
}
