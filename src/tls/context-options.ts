/** What OpenSSL is told for a service: keys, authorities, parameters, tickets. TLS_README */
import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import type { Settings } from '#config';
import { type Chains, chainsIn } from './chain.ts';
import { type KeyFiles, keyPairs, type TlsService } from './key-files.ts';

export const noCertificates = "No server certs available. TLS won't be enabled";

/** The service shows nobody who it is, and says so. postconf(5) smtpd_tls_cert_file */
function isAnonymous({ settings, names }: TlsService): boolean {
  const [certificate = ''] = names.keyPairs[0] ?? [];
  return settings.list(names.chainFiles).length === 0 && settings.string(certificate) === 'none';
}

/** Certificates and keys, none of them for an anonymous server; a text says what is missing. */
export function materialOf({ settings, names }: TlsService, files: KeyFiles): Chains | string {
  const chainFiles = settings.list(names.chainFiles);
  if (chainFiles.length > 0) return chainsOfFiles(chainFiles, files);
  const pairs = keyPairs(settings, names);
  if (pairs.length === 0 && !isAnonymous({ settings, names })) return noCertificates;
  const material: Chains = { cert: [], key: [] };
  for (const pair of pairs) {
    const cert = files.contents.get(pair.certificate);
    const key = files.contents.get(pair.key);
    if (cert === undefined) return `cannot get certificate from file "${pair.certificate}": disabling TLS support`;
    if (key === undefined) return `cannot get private key from file "${pair.key}": disabling TLS support`;
    material.cert.push(cert);
    material.key.push(key);
  }
  return material;
}

/** A key may be in one file and its certificate in the next. */
function chainsOfFiles(paths: readonly string[], files: KeyFiles): Chains | string {
  const parts: Buffer[] = [];
  for (const path of paths) {
    const content = files.contents.get(path);
    if (content === undefined) return `error opening chain file: ${path}: disabling TLS support`;
    parts.push(content, Buffer.from('\n'));
  }
  const chains = chainsIn(Buffer.concat(parts));
  if (typeof chains !== 'string') return chains;
  return `error loading private keys and certificates from: ${paths.join(', ')}: ${chains}: disabling TLS support`;
}

/** Authorities whose word about clients is believed; a text says what can't be read. */
export function authorities(
  { settings, names }: TlsService,
  files: KeyFiles,
  systemAuthorities: () => readonly string[],
): (Buffer | string)[] | string {
  const file = settings.string(names.authorityFile);
  const directory = settings.string(names.authorityDirectory);
  const paths = [file, directory].filter((path) => path !== '');
  const contents = paths.map((path) => files.contents.get(path));
  if (contents.includes(undefined)) {
    const parts = [
      ...(file === '' ? [] : [`CAfile="${file}"`]),
      ...(directory === '' ? [] : [`CApath="${directory}"`]),
    ];
    return `cannot load Certification Authority data, ${parts.join(', ')}: disabling TLS support`;
  }
  const own = contents.flatMap((content) => (content === undefined || content.length === 0 ? [] : [content]));
  return paths.length > 0 && settings.bool('tls_append_default_CA') ? [...own, ...systemAuthorities()] : own;
}

/** Parameters of exchanges in finite fields: OpenSSL's own, those of a file, or none. */
export function finiteField({ settings, names }: TlsService, files: KeyFiles): SecureContextOptions | string {
  const value = settings.string(names.finiteField);
  if (value === 'none') return {};
  if (value === '' || value === 'auto') return { dhparam: 'auto' };
  const content = files.contents.get(value);
  return content === undefined ? `cannot load DH parameters from file ${value}` : { dhparam: content };
}

/** Tickets that let clients go on with a session; how long, and what asks for none. */
export function sessionOptions(settings: Settings): {
  readonly secureOptions: number;
  readonly sessionTimeout: number;
} {
  const seconds = Math.floor(settings.ms('smtpd_tls_session_cache_timeout') / 1000);
  const hasTickets = settings.string('tls_session_ticket_cipher') !== '' && seconds > 0;
  return { secureOptions: hasTickets ? 0 : constants.SSL_OP_NO_TICKET, sessionTimeout: Math.max(1, seconds) };
}
