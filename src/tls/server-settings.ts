/** TLS of an SMTP service as main.cf asks for it. postconf(5) smtpd_tls_security_level; TLS_README */
import { createHash } from 'node:crypto';
import type { SecureContextOptions, TlsOptions } from 'node:tls';
import type { Settings } from '#config';
import { createTableList, type TableOpener } from '#tables';
import { TlsAcceptor } from './accept.ts';
import { cipherList } from './cipher-list.ts';
import { authorities, finiteField, materialOf, noCertificates, sessionOptions } from './context-options.ts';
import { groupsOf, usableGroups } from './key-exchange-groups.ts';
import { contentOf, type KeyFiles, keyPairs, type TlsService } from './key-files.ts';
import { LogLevels } from './log-levels.ts';
import { gapOptions, versionRange } from './protocols.ts';
import { chainOfValue, ServerNames } from './server-names.ts';
import { smtpdParameters } from './parameters.ts';
import { opensslOptions, withoutSign } from './openssl-options.ts';
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
  /** Names that clients ask for; undefined: there is one certificate for all. */
  readonly serverNames: ServerNames | undefined;
}

export interface ServerTlsOptions extends TlsService {
  readonly tables: TableOpener;
  /** From `readKeyFiles`. */
  readonly files: KeyFiles;
  readonly warn: (text: string) => void;
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

function levelOf({ settings, names, warn }: Pick<ServerTlsOptions, 'settings' | 'names' | 'warn'>): Level {
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
  const { settings, names, warn } = options;
  const level = levelOf(options);
  if (level === 'none') return undefined;
  const isDemanded = level === 'encrypt';
  const wantsCertificate = settings.bool(names.requiresCertificate);
  if (wantsCertificate && !isDemanded) warn("Can't require client certs unless TLS is required");
  const requiresCertificate = wantsCertificate && isDemanded;
  const asksCertificate = requiresCertificate || settings.bool(names.asksCertificate);
  const ciphers = cipherList(settings, names, { isDemanded, asksCertificate });
  const opened =
    typeof ciphers === 'string'
      ? `${ciphers}: disabling TLS support`
      : await open(options, { isDemanded, asksCertificate, ciphers: ciphers.list });
  if (typeof opened === 'string') warn(opened);
  return {
    isDemanded,
    wraps: wrapsSessions(options),
    logLevels: new LogLevels(options),
    isInReceived: settings.bool('smtpd_tls_received_header'),
    asksCertificate,
    requiresCertificate,
    resumesByTicketOnly: settings.string('smtpd_tls_session_cache_database') === '',
    ciphers: typeof ciphers === 'string' ? '' : ciphers.list,
    acceptor: typeof opened === 'string' ? undefined : opened.acceptor,
    serverNames: typeof opened === 'string' ? undefined : opened.serverNames,
  };
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

/** Makes what accepts handshakes; a text says why it can't be made. */
async function open(
  options: ServerTlsOptions,
  { isDemanded, asksCertificate, ciphers }: Demands,
): Promise<{ readonly acceptor: TlsAcceptor; readonly serverNames: ServerNames | undefined } | string> {
  const { settings, names, files, tables, warn, now } = options;
  const disabled = (problem: string): string => `${problem}: disabling TLS support`;
  const protocols = settings.list(isDemanded ? names.mandatoryProtocols : names.protocols);
  const range = versionRange(protocols);
  if (typeof range === 'string') return disabled(`Invalid TLS protocol list "${protocols.join(' ')}"`);
  const material = materialOf(options, files);
  if (typeof material === 'string') return material;
  const hasCertificate = material.cert.length > 0;
  if (!hasCertificate && asksCertificate) return noCertificates;
  const field = finiteField(options, files);
  if (typeof field === 'string') return disabled(field);
  const groups = groupsOf(settings, settings.string(names.curveGrade));
  if (typeof groups === 'string') return disabled(groups);
  const digest = settings.string(names.fingerprintDigest);
  if (!isDigest(digest)) return disabled(`${names.fingerprintDigest}: no message digest "${digest}"`);
  // loaded only where it is asked for
  const { createSecureContext, createServer, getCACertificates } = await import('node:tls');
  const ca = asksCertificate ? authorities(options, files, () => getCACertificates('system')) : [];
  if (typeof ca === 'string') return ca;
  const ecdhCurve = usableGroups(groups, createSecureContext);
  const { secureOptions, sessionTimeout } = sessionOptions(settings);
  const common: SecureContextOptions = {
    ...range,
    // later versions know no server without a certificate
    ...(hasCertificate || range.maxVersion !== 'TLSv1.3' ? {} : { maxVersion: 'TLSv1.2' as const }),
    ...field,
    ...(ecdhCurve === undefined ? {} : { ecdhCurve }),
    ca,
    // Postfix leaves it to protocols and ciphers what is good enough
    ciphers: `${ciphers}:@SECLEVEL=0`,
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
      hasChainFor: (name) => serverNames?.outcomeOf(name) === 'matched',
    });
    return { acceptor, serverNames };
  } catch (error) {
    const places = keyPairs(settings, names).map(({ certificate }) => certificate);
    const reason = error instanceof Error ? error.message : String(error);
    return disabled(`error loading private keys and certificates from: ${places.join(', ')}: ${reason}`);
  }
}
