/** Keys, certificates and requests, made by openssl(1) as Postfix has them made. */
import { spawnSync } from 'node:child_process';
import { createHash, createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Algorithm = 'rsa' | 'ecdsa';

/** What openssl(1) complained of, line by line, and what could not be done for it. */
export class OpensslError extends Error {
  readonly complaints: readonly string[];
  constructor(text: string, complaints: readonly string[]) {
    super(text);
    this.complaints = complaints;
  }
}

const daysValid = 36_525;
/** A common name can't be longer. RFC 5280, appendix A.1 */
const longestCommonName = 64;

export class Openssl {
  readonly #program: string;

  /** `program`: openssl_path */
  constructor(program: string) {
    this.#program = program;
  }

  #run(what: string, args: readonly string[]): Buffer {
    const { status, stdout, stderr, error } = spawnSync(this.#program, args);
    if (status === 0) return stdout;
    const complaints = error === undefined ? stderr.toString().split('\n') : [error.message];
    throw new OpensslError(
      what,
      complaints.filter((line) => line !== ''),
    );
  }

  /** `bits`: of an RSA key, or the name of a curve. */
  newKey(algorithm: Algorithm, bits: string, path: string): void {
    const args =
      algorithm === 'rsa'
        ? ['genrsa', bits]
        : ['ecparam', '-name', bits, '-param_enc', 'named_curve', '-genkey', '-noout'];
    const key = this.#run(`error generating new ${algorithm} ${bits} private key`, args);
    writeFileSync(path, key, { flag: 'wx', mode: 0o600 });
  }

  /** Signed with its own key, for server and client. */
  newCertificate(keyPath: string, hosts: readonly string[], path: string): void {
    const certificate = this.#request(
      `error generating self-signed certificate with key ${keyPath}`,
      ['-x509', '-sha256', '-days', String(daysValid)],
      keyPath,
      { hosts, commonName: hosts[0] ?? '', section: 'x509_extensions' },
    );
    writeFileSync(path, certificate, { flag: 'wx', mode: 0o644 });
  }

  /** A request for an authority to sign: the names alone say who asks. */
  certificateRequest(keyPath: string, hosts: readonly string[]): Buffer {
    const request = { hosts, commonName: '', section: 'req_extensions' };
    return this.#request(`error generating CSR with key ${keyPath}`, ['-sha256'], keyPath, request);
  }

  #request(
    what: string,
    args: readonly string[],
    keyPath: string,
    { hosts, commonName, section }: { hosts: readonly string[]; commonName: string; section: string },
  ): Buffer {
    const name = commonName.length > longestCommonName ? '' : commonName;
    const configuration = [
      '[req]',
      'prompt = no',
      'distinguished_name = who',
      `${section} = exts`,
      '[who]',
      ...(name === '' ? [] : [`CN = ${name}`]),
      '[exts]',
      'subjectKeyIdentifier = hash',
      'basicConstraints = CA:false',
      'extendedKeyUsage = serverAuth, clientAuth',
      `subjectAltName = ${hosts.map((host) => `DNS:${host}`).join(', ')}`,
      '',
    ].join('\n');
    const subject = name === '' ? ['-subj', '/'] : [];
    const directory = mkdtempSync(join(tmpdir(), 'postfix-tls-'));
    try {
      const path = join(directory, 'request.cnf');
      writeFileSync(path, configuration);
      return this.#run(what, ['req', '-new', '-config', path, '-key', keyPath, ...args, ...subject]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  }
}

/** Undefined where the file holds none. */
export function readKey(path: string): KeyObject | undefined {
  try {
    return createPrivateKey(readFileSync(path));
  } catch {
    return undefined;
  }
}

/** The first of a chain. */
export function readCertificate(path: string): X509Certificate | undefined {
  try {
    return new X509Certificate(readFileSync(path));
  } catch {
    return undefined;
  }
}

/** Undefined for kinds of keys that no parameter is for. */
export function algorithmOf(key: KeyObject): Algorithm | undefined {
  if (key.asymmetricKeyType === 'rsa') return 'rsa';
  return key.asymmetricKeyType === 'ec' ? 'ecdsa' : undefined;
}

/** SHA-256 of the public key, as TLSA records 3 1 1 have it. RFC 6698, 2.1 */
export function publicKeyDigest(key: KeyObject): string {
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('hex').toUpperCase();
}

/** Copies a key, for its owner alone to read. */
export function copyKey(from: string, to: string): void {
  const key = readFileSync(from);
  closeSync(openSync(to, 'wx', 0o600));
  writeFileSync(to, key);
}
