/** `postfix tls`: turns opportunistic TLS on, and makes and deploys keys and certificates. postfix-tls(1) */
import { ParameterRegistry, type Settings } from '#config';
import { type GivenOption, lastValue, parseOptions } from './getopt.ts';
import type { CliIo } from './io.ts';
import { EditError } from './edit-file.ts';
import { changeMain } from './postconf/change.ts';
import {
  type Algorithm,
  algorithmOf,
  copyKey,
  Openssl,
  OpensslError,
  publicKeyDigest,
  readCertificate,
  readKey,
} from './postfix-tls/openssl.ts';
import {
  clientEnabledLines,
  clientUnchangedLines,
  createdLines,
  deployedLine,
  type KeyPair,
  reloadLines,
  serverEnabledLines,
  serverUnchangedLines,
} from './postfix-tls/texts.ts';
import type { ScriptLog } from './script-log.ts';

export interface TlsSurroundings {
  readonly io: CliIo;
  readonly directory: string;
  readonly settings: Settings;
  readonly say: ScriptLog;
}

class Refusal extends Error {}

interface Job extends TlsSurroundings {
  readonly options: readonly GivenOption[];
  readonly operands: readonly string[];
  readonly openssl: Openssl;
}

interface Command {
  readonly letters: string;
  readonly usage: string;
  /** The exit status. */
  readonly run: (job: Job) => number;
}

const keyUsage = '[-a algorithm] [-b bits ] [hostname ...]';

const commands: Readonly<Record<string, Command>> = {
  'enable-client': { letters: 'r:', usage: '[-r randsource]', run: enableClient },
  'enable-server': { letters: 'r:a:b:', usage: `[-r randsource] ${keyUsage}`, run: enableServer },
  'new-server-key': { letters: 'a:b:', usage: keyUsage, run: (job) => newServer(job, true) },
  'new-server-cert': { letters: 'a:b:', usage: keyUsage, run: (job) => newServer(job, false) },
  'deploy-server-cert': { letters: '', usage: 'certfile keyfile', run: deploy },
  'output-server-csr': { letters: 'k:', usage: '[-k keyfile] [hostname ...]', run: outputRequest },
  'output-server-tlsa': { letters: 'h:', usage: '[-h hostname] [keyfile ...]', run: outputTlsa },
  'all-default-client': { letters: '', usage: '', run: ({ settings }) => (isDefault(settings, 'smtp') ? 0 : 1) },
  'all-default-server': { letters: '', usage: '', run: ({ settings }) => (isDefault(settings, 'smtpd') ? 0 : 1) },
};

export function runTls([word = '', ...args]: readonly string[], surroundings: TlsSurroundings): number {
  const { say, settings } = surroundings;
  const command = Object.hasOwn(commands, word) ? commands[word] : undefined;
  if (command === undefined) {
    say(`unknown tls command: '${word}'`, 'error');
    const [first = '', ...others] = Object.keys(commands);
    say(`usage: postfix tls ${first} (or ${others.join(', ')})`, 'fatal');
    return 1;
  }
  const parsed = parseOptions(args, command.letters, true);
  if (parsed.kind === 'invalid') {
    say(`usage: postfix tls ${word} ${command.usage}`.trimEnd(), 'fatal');
    return 1;
  }
  try {
    const openssl = new Openssl(settings.string('openssl_path'));
    return command.run({ ...surroundings, ...parsed, openssl });
  } catch (error) {
    if (error instanceof OpensslError) for (const text of error.complaints) say(text, 'warning');
    const isTold = error instanceof OpensslError || error instanceof Refusal || error instanceof EditError;
    if (!isTold && !(error instanceof Error && 'syscall' in error)) throw error;
    say(error.message, 'fatal');
    return 1;
  }
}

/** Whether main.cf says nothing of its own about TLS in the client (`smtp`) or the server (`smtpd`). */
function isDefault(settings: Settings, side: 'smtp' | 'smtpd'): boolean {
  const isAboutTls = new RegExp(`^${side}_(?:tls_|use_tls$|enforce_tls$|starttls_)`);
  return new ParameterRegistry().names().every((name) => !isAboutTls.test(name) || !settings.isSet(name));
}

function tell({ say }: Job, lines: readonly string[]): void {
  for (const line of lines) say(line);
}

function setParameters({ directory }: Job, values: Readonly<Record<string, string>>): void {
  const assignments = Object.entries(values).map(([name, value]) => `${name} = ${value}`);
  changeMain(`${directory}/main.cf`, 'edit', assignments, () => undefined);
}

const randomSource = ({ options }: Job): Readonly<Record<string, string>> => ({
  tls_random_source: lastValue(options, 'r') ?? 'dev:/dev/urandom',
});

function enableClient(job: Job): number {
  if (!isDefault(job.settings, 'smtp')) {
    tell(job, clientUnchangedLines);
    return 1;
  }
  setParameters(job, {
    ...randomSource(job),
    smtp_tls_security_level: 'may',
    smtp_tls_loglevel: '1',
    smtp_tls_session_cache_database: `btree:${job.settings.string('data_directory')}/smtp_scache`,
  });
  tell(job, clientEnabledLines);
  return 0;
}

const defaultBits: Readonly<Record<Algorithm, string>> = { rsa: '2048', ecdsa: 'prime256v1' };
const filePrefix: Readonly<Record<Algorithm, string>> = { rsa: '', ecdsa: 'ec' };

function algorithmFrom(options: readonly GivenOption[]): Algorithm {
  const word = lastValue(options, 'a') ?? 'rsa';
  if (word !== 'rsa' && word !== 'ecdsa') throw new Refusal(`Unsupported private key algorithm: ${word}`);
  return word;
}

const hostsOf = ({ operands, settings }: Job): readonly string[] =>
  operands.length > 0 ? operands : [settings.string('myhostname')];

/** Names of files made at this second. */
function newFiles({ directory }: Job, algorithm: Algorithm): KeyPair {
  const now = new Date();
  const two = (n: number): string => String(n).padStart(2, '0');
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  const stamp = `${day}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
  const file = (what: string): string => `${directory}/${filePrefix[algorithm]}${what}-${stamp}.pem`;
  return { key: file('key'), certificate: file('cert') };
}

/** `present`: a key to go on with; without one a new key is made. */
function makePair(job: Job, algorithm: Algorithm, present: string | undefined): KeyPair {
  const files = newFiles(job, algorithm);
  if (present !== undefined) copyKey(present, files.key);
  else job.openssl.newKey(algorithm, lastValue(job.options, 'b') ?? defaultBits[algorithm], files.key);
  job.openssl.newCertificate(files.key, hostsOf(job), files.certificate);
  return files;
}

const parametersOf = (algorithm: Algorithm, { key, certificate }: KeyPair): Readonly<Record<string, string>> => ({
  [`smtpd_tls_${filePrefix[algorithm]}cert_file`]: certificate,
  [`smtpd_tls_${filePrefix[algorithm]}key_file`]: key,
});

function enableServer(job: Job): number {
  const algorithm = algorithmFrom(job.options);
  if (!isDefault(job.settings, 'smtpd')) {
    tell(job, serverUnchangedLines);
    return 1;
  }
  const files = makePair(job, algorithm, undefined);
  setParameters(job, {
    ...randomSource(job),
    smtpd_tls_security_level: 'may',
    smtpd_tls_received_header: 'yes',
    smtpd_tls_loglevel: '1',
    ...parametersOf(algorithm, files),
  });
  tell(job, serverEnabledLines(files));
  return 0;
}

/** The key in use for an algorithm. */
function keyInUse(settings: Settings, algorithm: Algorithm): string | undefined {
  const path =
    settings.string(`smtpd_tls_${filePrefix[algorithm]}key_file`) ||
    settings.string(`smtpd_tls_${filePrefix[algorithm]}cert_file`);
  return path !== '' && readKey(path) !== undefined ? path : undefined;
}

function newServer(job: Job, isNewKey: boolean): number {
  const algorithm = algorithmFrom(job.options);
  const present = isNewKey ? undefined : keyInUse(job.settings, algorithm);
  const files = makePair(job, algorithm, present);
  tell(job, createdLines(files, present === undefined));
  return 0;
}

function deploy(job: Job): number {
  const [certificate, key, ...more] = job.operands;
  if (certificate === undefined || key === undefined || more.length > 0)
    throw new Refusal('usage: postfix tls deploy-server-cert certfile keyfile');
  const secret = readKey(key);
  if (secret === undefined) throw new Refusal(`no private key found in file: ${key}`);
  const signed = readCertificate(certificate);
  if (signed === undefined) throw new Refusal(`no certificate found in file: ${certificate}`);
  if (!signed.checkPrivateKey(secret)) throw new Refusal(`Certificate in ${certificate} does not match key in ${key}`);
  const algorithm = algorithmOf(secret);
  if (algorithm === undefined)
    throw new Refusal(`Unsupported private key algorithm: ${secret.asymmetricKeyType ?? 'unknown'}`);
  setParameters(job, parametersOf(algorithm, { key, certificate }));
  tell(job, [deployedLine, ...reloadLines]);
  return 0;
}

/** Named by its file, or by its algorithm for the one in use. */
function keyNamed(settings: Settings, word: string): string | undefined {
  if (word === 'rsa' || word === 'ecdsa') return keyInUse(settings, word);
  return readKey(word) === undefined ? undefined : word;
}

function usableKeys({ settings }: Job, words: readonly string[]): readonly string[] {
  const keys = (words.length > 0 ? words : ['rsa', 'ecdsa']).flatMap((word) => keyNamed(settings, word) ?? []);
  if (keys.length === 0) throw new Refusal('No usable keyfile specified or configured');
  return keys;
}

function outputRequest(job: Job): number {
  const named = lastValue(job.options, 'k');
  const [key = ''] = usableKeys(job, named === undefined ? [] : [named]);
  job.io.stdout(job.openssl.certificateRequest(key, hostsOf(job)));
  return 0;
}

function outputTlsa(job: Job): number {
  const host = lastValue(job.options, 'h') ?? job.settings.string('myhostname');
  for (const path of usableKeys(job, job.operands)) {
    const key = readKey(path);
    if (key !== undefined) job.io.stdout(`; ${path}\n_25._tcp.${host}. IN TLSA 3 1 1 ${publicKeyDigest(key)}\n`);
  }
  return 0;
}
