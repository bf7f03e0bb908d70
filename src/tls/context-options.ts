/** What OpenSSL is told for a service: keys, authorities, parameters, tickets. TLS_README */
import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import type { Settings } from '#config';
import { type Chains, chainsOf, hasBrokenCertificate, isBroken, mixedChain, type Problems } from './chain.ts';
import { type KeyFiles, keyPairs, type KeyService, type TlsService } from './key-files.ts';

export const noCertificates = "No server certs available. TLS won't be enabled";

const disabled = 'disabling TLS support';

/** The service shows nobody who it is, and says so. postconf(5) smtpd_tls_cert_file */
function isAnonymous({ settings, names }: KeyService): boolean {
  const [certificate = ''] = names.keyPairs[0] ?? [];
  return settings.list(names.chainFiles).length === 0 && settings.string(certificate) === 'none';
}

/** Certificates and keys, none of them for an anonymous server. */
export function materialOf(service: KeyService, files: KeyFiles): Chains | Problems {
  const material = ownMaterial(service, files);
  return !isBroken(material) && material.cert.length === 0 && !isAnonymous(service) ? [noCertificates] : material;
}

/** Certificates and keys; none where none are named. */
export function ownMaterial({ settings, names }: KeyService, files: KeyFiles): Chains | Problems {
  const chainFiles = settings.list(names.chainFiles);
  if (chainFiles.length > 0) return chainsOfFiles(chainFiles, settings.string(names.chainFiles), files);
  const pairs = keyPairs(settings, names);
  const material: Chains = { cert: [], key: [] };
  for (const { certificate, key, algorithm } of pairs) {
    const chain =
      certificate === key ? chainOfOneFile(certificate, files) : chainOfTwo({ certificate, key, algorithm }, files);
    if (isBroken(chain)) return chain;
    material.cert.push(...chain.cert);
    material.key.push(...chain.key);
  }
  return material;
}

const notOpened = (path: string, reason: string): string => `error opening chain file: ${path}: ${reason}`;

const notLoaded = (problems: Problems, where: string): Problems => [
  ...problems,
  `error loading private keys and certificates from: ${where}: ${disabled}`,
];

function chainsOfFiles(paths: readonly string[], value: string, files: KeyFiles): Chains | Problems {
  const parts: { readonly name: string; readonly content: Buffer }[] = [];
  for (const name of paths) {
    const content = files.contents.get(name) ?? '';
    if (typeof content === 'string') return [notOpened(name, content)];
    parts.push({ name, content });
  }
  const chains = chainsOf(parts);
  return isBroken(chains) ? notLoaded(chains, value) : chains;
}

function chainOfOneFile(name: string, files: KeyFiles): Chains | Problems {
  const content = files.contents.get(name) ?? '';
  if (typeof content === 'string') return [notOpened(name, content)];
  const chain = mixedChain({ name, content });
  return isBroken(chain) ? notLoaded(chain, name) : chain;
}

function chainOfTwo(
  { certificate, key, algorithm }: ReturnType<typeof keyPairs>[number],
  files: KeyFiles,
): Chains | Problems {
  const missing = (what: string, path: string): string =>
    `cannot get ${algorithm} ${what} from file "${path}": ${disabled}`;
  const certificateContent = files.contents.get(certificate) ?? '';
  const keyContent = files.contents.get(key) ?? '';
  if (typeof certificateContent === 'string') return [missing('certificate', certificate)];
  if (typeof keyContent === 'string') return [missing('private key', key)];
  const chain = mixedChain({ name: key, content: Buffer.concat([certificateContent, Buffer.from('\n'), keyContent]) });
  if (!isBroken(chain)) return chain;
  const library = chain.find((text) => text.startsWith('TLS library problem'));
  // it says the same in other words when they are apart
  const apart = library?.replace('0A000120:SSL', '05800074:x509 certificate').replace('private key m', 'key values m');
  return [missing('private key', key), ...(apart === undefined ? [] : [apart])];
}

const certificateOrList = /-----BEGIN (?:(?:X509 |TRUSTED )?CERTIFICATE|X509 CRL)-----/;

export interface Authorities {
  /** Those of a file, whose names clients are told. */
  readonly named: readonly (Buffer | string)[];
  /** Those of a directory, and of the system. */
  readonly unnamed: readonly (Buffer | string)[];
}

/**
 * Whose word about the other side is believed; a text says what can't be read. The file has to be in order even where nobody is
 * asked for a certificate. postconf(5) smtpd_tls_CAfile, smtpd_tls_CApath
 */
export function authorities(
  { settings, names }: KeyService,
  files: KeyFiles,
  systemAuthorities: () => readonly string[],
): Authorities | string {
  const file = settings.string(names.authorityFile);
  const directory = settings.string(names.authorityDirectory);
  const ofFile = file === '' ? Buffer.alloc(0) : files.contents.get(file);
  const isUsable = (content: Buffer | string | undefined): boolean =>
    Buffer.isBuffer(content) && certificateOrList.test(content.toString('latin1')) && !hasBrokenCertificate(content);
  if (file !== '' && !isUsable(ofFile)) {
    const also = directory === '' ? '' : `, CApath="${directory}"`;
    return `cannot load Certification Authority data, CAfile="${file}"${also}: ${disabled}`;
  }
  const isAsked = file !== '' || directory !== '';
  const filled = [files.directories.get(directory)].flatMap((content) =>
    content === undefined || content.length === 0 ? [] : [content],
  );
  return {
    named: Buffer.isBuffer(ofFile) && ofFile.length > 0 ? [ofFile] : [],
    unnamed: [...filled, ...(isAsked && settings.bool('tls_append_default_CA') ? systemAuthorities() : [])],
  };
}

/** Parameters of exchanges in finite fields: those of a file, none, or OpenSSL's own, also where the file is no good. */
export function finiteField(
  { settings, names }: TlsService,
  files: KeyFiles,
): { readonly options: SecureContextOptions; readonly problem?: string } {
  const value = settings.string(names.finiteField);
  if (value === 'none') return { options: {} };
  const own: SecureContextOptions = { dhparam: 'auto' };
  if (value === '' || value === 'auto') return { options: own };
  const content = files.contents.get(value) ?? '';
  const instead = '-- using compiled-in defaults';
  if (typeof content === 'string') {
    return { options: own, problem: `error opening DH parameter file "${value}": ${content} ${instead}` };
  }
  return /-----BEGIN (?:X9\.42 )?DH PARAMETERS-----/.test(content.toString('latin1'))
    ? { options: { dhparam: content } }
    : { options: own, problem: `error decoding DH parameters from file "${value}" ${instead}` };
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
