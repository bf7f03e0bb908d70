/**
 * Keys with their certificates in files, each key before its chain. There may be several of them, for clients that know
 * one kind of key only. postconf(5) smtpd_tls_chain_files, smtpd_tls_cert_file
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { libraryText } from './library-text.ts';

export interface Chains {
  readonly key: Buffer[];
  /** In the order of the keys; each with the certificates of those who vouch for it. */
  readonly cert: Buffer[];
}

/** A file, or whatever else holds keys, by the name that the log calls it. */
export interface PemFile {
  readonly name: string;
  readonly content: Buffer;
}

/** What is wrong, a line of the log each. */
export type Problems = readonly string[];

export function isBroken<T extends object>(result: T | Problems): result is Problems {
  return Array.isArray(result);
}

interface Block {
  readonly text: string;
  readonly isKey: boolean;
  readonly file: string;
  /** From 1 on, in its file. */
  readonly index: number;
}

interface Contents {
  /** Keys and certificates; undefined: there is nothing of the kind of PEM at all. */
  readonly blocks: readonly Block[] | undefined;
  readonly complaints: Problems;
}

const pemBlock = /-----BEGIN ([A-Z0-9 ]+)-----[^]*?-----END \1-----/g;
const keyLabels: ReadonlySet<string> = new Set(['PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY', 'DSA PRIVATE KEY']);
const certificateLabels: ReadonlySet<string> = new Set(['CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE']);
/** Belong to a key that follows. */
const parameterLabels: ReadonlySet<string> = new Set(['EC PARAMETERS', 'DH PARAMETERS']);

function contentsOf({ name, content }: PemFile): Contents {
  const found = [...content.toString('latin1').matchAll(pemBlock)].map(([text, label = ''], at) => ({
    label,
    block: { text, isKey: keyLabels.has(label), file: name, index: at + 1 },
  }));
  if (found.length === 0) return { blocks: undefined, complaints: [`No PEM data in ${name}`] };
  const isWanted = (label: string): boolean => keyLabels.has(label) || certificateLabels.has(label);
  const others = found.map(({ label }) => label).filter((label) => !isWanted(label) && !parameterLabels.has(label));
  return {
    blocks: found.filter(({ label }) => isWanted(label)).map(({ block }) => block),
    complaints: others.map((label) => `loading ${name}: ignoring PEM type: ${label}`),
  };
}

const asPem = (blocks: readonly Block[]): Buffer => Buffer.from(`${blocks.map(({ text }) => text).join('\n')}\n`);

/** A key with the certificates behind it. */
function chainOf(key: Block, certificates: readonly Block[]): Chains | Problems {
  const [own] = certificates;
  if (own === undefined) return [`No certs for key at index ${key.index} in ${key.file}`];
  try {
    const isPair = new X509Certificate(own.text).checkPrivateKey(createPrivateKey(key.text));
    if (isPair) return { key: [asPem([key])], cert: [asPem(certificates)] };
    const what = `key at index ${key.index} in ${key.file} does not match next certificate`;
    return [what, 'TLS library problem: error:0A000120:SSL routines::private key mismatch'];
  } catch (error) {
    return [`TLS library problem: ${libraryText(error)}`];
  }
}

/** Chains in files that are read one behind the other: a key may be in one and its certificate in the next. */
export function chainsOf(files: readonly PemFile[]): Chains | Problems {
  const complaints: string[] = [];
  const groups: { readonly key: Block; readonly certificates: Block[] }[] = [];
  for (const file of files) {
    const contents = contentsOf(file);
    complaints.push(...contents.complaints);
    if (contents.blocks === undefined) return complaints;
    for (const block of contents.blocks) {
      const group = groups.at(-1);
      if (block.isKey) groups.push({ key: block, certificates: [] });
      else if (group === undefined) return [...complaints, `error loading chain from ${file.name}: key not first`];
      else group.certificates.push(block);
    }
  }
  if (groups.length === 0) return [...complaints, `No private key found in ${files.at(-1)?.name ?? ''}`];
  const chains: Chains = { key: [], cert: [] };
  for (const { key, certificates } of groups) {
    const chain = chainOf(key, certificates);
    if (isBroken(chain)) return [...complaints, ...chain];
    chains.key.push(...chain.key);
    chains.cert.push(...chain.cert);
  }
  return chains;
}

/** A file with one key and its chain in any order, as smtpd_tls_cert_file without smtpd_tls_key_file names it. */
export function mixedChain(file: PemFile): Chains | Problems {
  const { blocks = [], complaints } = contentsOf(file);
  const key = blocks.find(({ isKey }) => isKey);
  if (key === undefined) {
    return blocks.length === 0 ? complaints : [...complaints, `No private key found in ${file.name}`];
  }
  const chain = chainOf(
    key,
    blocks.filter(({ isKey }) => !isKey),
  );
  return isBroken(chain) ? [...complaints, ...chain] : chain;
}

/** Whether something that should be a certificate is none. */
export function hasBrokenCertificate(text: Buffer | string): boolean {
  const blocks = [...text.toString('latin1').matchAll(pemBlock)];
  const wanted = blocks.filter(([, label = '']) => certificateLabels.has(label)).map(([whole]) => whole);
  return certificatesIn([text]).length < wanted.length;
}

/** All certificates in texts; what only looks like one is passed over. */
export function certificatesIn(texts: readonly (Buffer | string)[]): readonly X509Certificate[] {
  const blocks = texts.flatMap((text) => [...text.toString('latin1').matchAll(pemBlock)]);
  return blocks.flatMap(([whole, label = '']) => {
    if (!certificateLabels.has(label)) return [];
    try {
      return [new X509Certificate(whole)];
    } catch {
      // OpenSSL does not believe it either
      return [];
    }
  });
}
