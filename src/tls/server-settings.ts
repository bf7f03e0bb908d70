/** TLS of an SMTP service as main.cf asks for it. postconf(5) smtpd_tls_security_level; TLS_README */
import type { Settings } from '#config';
import type { TlsAcceptor } from './accept.ts';
import { cipherList } from './cipher-list.ts';
import type { TlsService } from './key-files.ts';
import { LogLevels } from './log-levels.ts';
import { openAcceptor, type ServerTlsOptions } from './open-acceptor.ts';
import { smtpdParameters } from './parameters.ts';
import type { ServerNames } from './server-names.ts';

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
  const opened = await openAcceptor(options, { isDemanded, asksCertificate, ciphers: ciphers.list ?? 'ALL' });
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
