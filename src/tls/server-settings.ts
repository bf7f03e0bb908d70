/** TLS of an SMTP service as main.cf asks for it. postconf(5) smtpd_tls_security_level; TLS_README */
import { createHash } from 'node:crypto';
import type { SecureContextOptions, TlsOptions } from 'node:tls';
import type { Settings } from '#config';
import type { EventChannel } from '#events';
import { createTableList, type TableOpener } from '#tables';
import { TlsAcceptor } from './accept.ts';
import { certificatesIn, isBroken, type Problems } from './chain.ts';
import { cipherList } from './cipher-list.ts';
import { authorities, finiteField, materialOf, noCertificates, sessionOptions } from './context-options.ts';
import { groupsOf, usableGroups } from './key-exchange-groups.ts';
import { contentOf, type KeyFiles, type TlsService } from './key-files.ts';
import { libraryText } from './library-text.ts';
import { LogLevels } from './log-levels.ts';
import { gapOptions, versionRange } from './protocols.ts';
import { chainOfValue, ServerNames } from './server-names.ts';
import { smtpdParameters } from './parameters.ts';
import { opensslOptions, switchParameters, unknownSwitches, withoutSign } from './openssl-options.ts';
import { keepSessions } from './session-cache.ts';

export interface ServerTls {
  /** Nobody is served without it. */
  readonly isDemanded: boolean;
  /** It begins before the greeting. smtpd_tls_wrappermode */
  readonly wraps: boolean;
  readonly logLevels: LogLevels;
  /** smtpd_tls_received_header */
  readonly isInReceived: boolean;
  readonly asksCertificate: boolean;
  /** Nobody is served without a certificate that is believed. */
  readonly requiresCertificate: boolean;
  /** Sessions are not kept here: a client that goes on with one has it all in a ticket. */
  readonly resumesByTicketOnly: boolean;
  /** As given to OpenSSL. */
  readonly ciphers: string;
  /** undefined: there is no usable certificate. */
  readonly acceptor: TlsAcceptor | undefined;
  /** What is wrong with the ciphers, which ends each handshake before it begins; undefined: nothing. */
  readonly cipherProblem: CipherProblem | undefined;
  /** Names that clients ask for; undefined: there is one certificate for all. */
  readonly serverNames: ServerNames | undefined;
}

export interface CipherProblem {
  readonly text: string;
  /** What OpenSSL says of it; undefined: it was not asked. */
  readonly library?: string;
}

export interface ServerTlsOptions extends TlsService {
  readonly tables: TableOpener;
  /** From `readKeyFiles`. */
  readonly files: KeyFiles;
  readonly events: EventChannel;
  readonly now: () => number;
}

type Level = 'none' | 'may' | 'encrypt';

/** Whether an SMTP service serves nobody without TLS. */
export function demandsTls(settings: Settings): boolean {
  return levelOf({ settings, names: smtpdParameters, warn: () => undefined }) === 'encrypt';
}

function wrapsSessions({ settings, names }: TlsService): boolean {
  return names.wrapperMode !== undefined && settings.bool(names.wrapperMode);
}

function levelOf({ settings, names, warn }: TlsService & { readonly warn: (text: string) => void }): Level {
  const level = settings.string(names.securityLevel).toLowerCase();
  if (wrapsSessions({ settings, names })) return 'encrypt';
  if (level === '') {
    if (settings.bool(names.enforce)) return 'encrypt';
    return settings.bool(names.use) ? 'may' : 'none';
  }
  if (level === 'none' || level === 'may' || level === 'encrypt') return level;
  warn(`${names.securityLevel}: unsupported TLS level "${level}", using "encrypt"`);
  return 'encrypt';
}

function isDigest(name: string): boolean {
  try {
    createHash(name);
    return true;
  } catch {
    // OpenSSL knows no such digest
    return false;
  }
}

/**
 * What a service offers; undefined when it offers no TLS. Keys that can't be used are warned of, and clients are told
 * that TLS is not available.
 */
export async function openServerTls(options: ServerTlsOptions): Promise<ServerTls | undefined> {
  const { settings, names, events } = options;
  const warn = (text: string): void => events.emit({ kind: 'warning', text });
  const level = levelOf({ settings, names, warn });
  if (level === 'none') return undefined;
  const isDemanded = level === 'encrypt';
  const wantsCertificate = settings.bool(names.requiresCertificate);
  if (wantsCertificate && !isDemanded) warn("Can't require client certs unless TLS is required");
  const requiresCertificate = wantsCertificate && isDemanded;
  const asksCertificate = requiresCertificate || settings.bool(names.asksCertificate);
  const ciphers = cipherList(settings, names, { isDemanded, asksCertificate });
  const opened = await open(options, { isDemanded, asksCertificate, ciphers: ciphers.list ?? 'ALL' });
  return {
    isDemanded,
    wraps: wrapsSessions(options),
    logLevels: new LogLevels(options),
    isInReceived: settings.bool('smtpd_tls_received_header'),
    asksCertificate,
    requiresCertificate,
    resumesByTicketOnly: settings.string('smtpd_tls_session_cache_database') === '',
    ciphers: ciphers.list ?? '',
    acceptor: opened.acceptor,
    cipherProblem: problemOf(ciphers, opened.cipherProblem),
    serverNames: opened.serverNames,
  };
}

function problemOf(
  { grade, list }: ReturnType<typeof cipherList>,
  library: string | undefined,
): CipherProblem | undefined {
  if (list === undefined) return { text: `invalid cipher grade: "${grade}"` };
  return library === undefined ? undefined : { text: `error setting cipher grade: "${grade}"`, library };
}

function nameCallback(serverNames: ServerNames): NonNullable<TlsOptions['SNICallback']> {
  return (name, done) => {
    serverNames.contextFor(name).then(
      (context) => done(null, context),
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
    );
  };
}

interface Demands {
  readonly isDemanded: boolean;
  readonly asksCertificate: boolean;
  readonly ciphers: string;
}

interface Opened {
  readonly acceptor?: TlsAcceptor;
  readonly serverNames?: ServerNames | undefined;
  /** What OpenSSL says of the ciphers. */
  readonly cipherProblem?: string;
}

/** Makes what accepts handshakes; what keeps it from that is told. */
async function open(options: ServerTlsOptions, { isDemanded, asksCertificate, ciphers }: Demands): Promise<Opened> {
  const { settings, names, files, tables, events, now } = options;
  const warn = (text: string): void => events.emit({ kind: 'warning', text });
  const broken = (problems: Problems): Opened => {
    for (const problem of problems) warn(problem);
    return {};
  };
  for (const text of switchParameters.flatMap((name) => unknownSwitches(settings, name))) warn(text);
  if (hasIgnoredKeys(options)) {
    const all = names.keyPairs.map(([certificate]) => certificate);
    const [rsa = '', ec = '', dsa = ''] = all;
    warn(
      `Both ${names.chainFiles} and one or more of the legacy  ${rsa}, ${ec} or ${dsa} are non-empty; the legacy  parameters will be ignored`,
    );
  }
  const protocols = settings.list(isDemanded ? names.mandatoryProtocols : names.protocols);
  const range = versionRange(protocols);
  if (typeof range === 'string') return broken([`Invalid TLS protocol list "${protocols.join(' ')}": ${disabled}`]);
  const material = materialOf(options, files);
  if (isBroken(material)) return broken(material);
  const hasCertificate = material.cert.length > 0;
  if (!hasCertificate && asksCertificate) return broken(['Need a server cert to request client certs', noCertificates]);
  const digest = settings.string(names.fingerprintDigest);
  if (!isDigest(digest)) return broken([`Digest algorithm "${digest}" not found`, disabled]);
  // loaded only where it is asked for
  const { createSecureContext, createServer, getCACertificates } = await import('node:tls');
  const ca = authorities(options, files, () => getCACertificates('system'));
  if (typeof ca === 'string') {
    events.emit({ kind: 'note', text: ca });
    return {};
  }
  const field = finiteField(options, files);
  if (field.problem !== undefined) warn(field.problem);
  const ecdhCurve = usableGroups(groupsOf(settings), createSecureContext);
  const { secureOptions, sessionTimeout } = sessionOptions(settings);
  // Postfix leaves it to protocols and ciphers what is good enough
  const offered = `${ciphers}:@SECLEVEL=0`;
  const cipherProblem = problemWith(() => createSecureContext({ ciphers: offered, ca: [] }));
  if (cipherProblem !== undefined) return { cipherProblem };
  const common: SecureContextOptions = {
    ...range,
    // later versions know no server without a certificate
    ...(hasCertificate || range.maxVersion !== 'TLSv1.3' ? {} : { maxVersion: 'TLSv1.2' as const }),
    ...field.options,
    ...(ecdhCurve === undefined ? {} : { ecdhCurve }),
    ca: asksCertificate ? ca : [],
    ciphers: offered,
    honorCipherOrder: settings.bool('tls_preempt_cipherlist'),
    secureOptions: withoutSign(secureOptions | gapOptions(protocols) | opensslOptions(settings)),
    sessionTimeout,
    // sessions of clients that were asked who they are belong to this service alone
    sessionIdContext: createHash('sha256').update(`${names.securityLevel} ${ciphers}`).digest('hex').slice(0, 32),
  };
  const mapsName = 'tls_server_sni_maps';
  const maps = createTableList(
    mapsName,
    settings.list(mapsName).map((spec) => files.tables.get(spec) ?? tables.open(spec)),
    { warn },
  );
  const serverNames = maps.isEmpty
    ? undefined
    : new ServerNames({
        maps,
        createContext: (chain) => createSecureContext({ ...common, ...chain }),
        chainOf: (value, table) => chainOfValue(value, table, (path) => files.contents.get(path) ?? contentOf(path)),
        warn,
      });
  try {
    const server = createServer({
      ...common,
      ...(hasCertificate ? material : {}),
      requestCert: asksCertificate,
      rejectUnauthorized: false,
      // the longest of all; under stress the services wait less
      handshakeTimeout: settings.timerMs(names.timeout),
      ...(serverNames === undefined ? {} : { SNICallback: nameCallback(serverNames) }),
    });
    if (settings.string('smtpd_tls_session_cache_database') !== '') keepSessions(server, sessionTimeout * 1000, now);
    const acceptor = new TlsAcceptor(server, {
      digest,
      verifyDepth: settings.int(names.verifyDepth),
      asksCertificate,
      authorities: onFirstUse(() => certificatesIn(asksCertificate ? ca : [])),
      hasChainFor: (name) => serverNames?.outcomeOf(name) === 'matched',
    });
    return { acceptor, serverNames };
  } catch (error) {
    return broken([disabled, `TLS library problem: ${libraryText(error)}`]);
  }
}

/** Made when it is asked for, and kept. */
function onFirstUse<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

const disabled = 'disabling TLS support';

/** Keys are named in two ways, of which one counts. */
function hasIgnoredKeys({ settings, names }: TlsService): boolean {
  const hasChains = settings.list(names.chainFiles).length > 0;
  return hasChains && names.keyPairs.some(([certificate]) => settings.string(certificate) !== '');
}

/** What OpenSSL says against it; undefined: nothing. */
function problemWith(make: () => unknown): string | undefined {
  try {
    make();
    return undefined;
  } catch (error) {
    return libraryText(error);
  }
}
