/** Certificates and keys: read while the process is still root, since keys are root's alone. TLS_README */
import { readFileSync } from 'node:fs';
import type { Settings } from '#config';

/** Path → content; undefined for a file that can't be read. */
export type KeyFiles = ReadonlyMap<string, Buffer | undefined>;

export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** Files with certificate and key together, or pairs of them; none: there is no certificate. */
export function keyPairs(settings: Settings): readonly KeyPair[] {
  const chains = settings.list('smtpd_tls_chain_files');
  if (chains.length > 0) return chains.map((file) => ({ certificate: file, key: file }));
  const pair = (certificate: string, key: string): KeyPair => ({
    certificate: settings.string(certificate),
    key: settings.string(key),
  });
  const pairs = [
    pair('smtpd_tls_cert_file', 'smtpd_tls_key_file'),
    pair('smtpd_tls_eccert_file', 'smtpd_tls_eckey_file'),
    pair('smtpd_tls_dcert_file', 'smtpd_tls_dkey_file'),
  ];
  return pairs
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

/** What the services of a configuration need. */
export function readKeyFiles(services: readonly Settings[]): KeyFiles {
  const paths = services.flatMap((settings) =>
    keyPairs(settings).flatMap(({ certificate, key }) => [certificate, key]),
  );
  return new Map([...new Set(paths)].map((path) => [path, contentOf(path)]));
}
