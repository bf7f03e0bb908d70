/** Certificates and keys: read while the process is still root, since keys are root's alone. TLS_README */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Settings, splitList } from '#config';
import { errnoText } from '#native';
import { namesFiles, pathOf, type Table, tableFilesOf } from '#tables';
import type { KeyParameters, TlsParameters } from './parameters.ts';

export interface KeyFiles {
  /** Path → content; a text says why a file can't be read. */
  readonly contents: ReadonlyMap<string, Buffer | string>;
  /** Directory → the certificates of authorities in it. */
  readonly directories: ReadonlyMap<string, Buffer>;
}

export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
  /** Of the key, as the log calls it. */
  readonly algorithm: string;
}

/** Pairs of files, which may be one file; for services without smtpd_tls_chain_files. */
export function keyPairs(settings: Settings, names: Pick<KeyParameters, 'keyPairs'>): readonly KeyPair[] {
  return names.keyPairs
    .map(([certificate, key, algorithm]) => ({
      certificate: settings.string(certificate),
      key: settings.string(key),
      algorithm,
    }))
    .filter(({ certificate }) => certificate !== '' && certificate !== 'none')
    .map((pair) => (pair.key === '' ? { ...pair, key: pair.certificate } : pair));
}

/** A text says why a file can't be read. */
export function contentOf(path: string): Buffer | string {
  try {
    return readFileSync(path);
  } catch (error) {
    return errnoText(error);
  }
}

/** The certificates of a directory that c_rehash(1) has named. */
function authoritiesIn(directory: string): Buffer {
  try {
    const names = readdirSync(directory).filter((name) => /^[0-9a-f]{8}\.\d+$/.test(name));
    const contents = names.map((name) => contentOf(join(directory, name)));
    return Buffer.concat(
      contents.flatMap((content) => (typeof content === 'string' ? [] : [content, Buffer.from('\n')])),
    );
  } catch {
    // as to OpenSSL, a directory that can't be read has none
    return Buffer.alloc(0);
  }
}

/** Names of files besides those of keys that a service's settings give; '' and words are none. */
function otherFiles(settings: Settings, names: KeyParameters): readonly string[] {
  return [names.authorityFile, names.finiteField]
    .map((name) => (name === undefined ? '' : settings.string(name)))
    .filter((path) => path.startsWith('/'));
}

export interface TlsService<Names extends KeyParameters = TlsParameters> {
  readonly settings: Settings;
  readonly names: Names;
}

/** A service that may show who it is, and may know others. */
export type KeyService = TlsService<KeyParameters>;

function filesOf(services: readonly KeyService[]): readonly string[] {
  return services.flatMap(({ settings, names }) => [
    ...settings.list(names.chainFiles),
    ...keyPairs(settings, names).flatMap(({ certificate, key }) => [certificate, key]),
    ...otherFiles(settings, names),
  ]);
}

function directoriesOf(services: readonly KeyService[]): readonly string[] {
  return services.map(({ settings, names }) => settings.string(names.authorityDirectory)).filter((path) => path !== '');
}

/** Each with the settings of a service that names it. */
function nameTablesOf(services: readonly KeyService[]): ReadonlyMap<string, Settings> {
  return new Map(
    services.flatMap(({ settings }) => settings.list('tls_server_sni_maps').map((spec) => [spec, settings] as const)),
  );
}

/** The paths of what is read at the start only: when it changes, it has to be read again. */
export function keyFilePaths(services: readonly KeyService[]): readonly string[] {
  const tables = [...nameTablesOf(services)].flatMap(([spec, settings]) => tableFilesOf(spec, settings).map(pathOf));
  return [...new Set([...filesOf(services), ...directoriesOf(services), ...tables])];
}

/** What the services of a configuration need. `open`: opens a lookup table. */
export function readKeyFiles(services: readonly KeyService[], open: (spec: string) => Table): KeyFiles {
  const specs = nameTablesOf(services);
  const chains = [...specs.keys()].filter(namesFiles).flatMap((spec) => [...(open(spec).entries?.() ?? [])]);
  const files = new Set([...filesOf(services), ...chains.flatMap(([, value]) => splitList(value))]);
  return {
    contents: new Map([...files].map((path) => [path, contentOf(path)])),
    directories: new Map(directoriesOf(services).map((path) => [path, authoritiesIn(path)])),
  };
}
