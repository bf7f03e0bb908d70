/** What accepts handshakes, made of all that a service's settings say of keys, ciphers and authorities. TLS_README */
import { createHash } from 'node:crypto';
import type { SecureContextOptions, Server } from 'node:tls';
import type { EventChannel } from '#events';
import { createTableList, type TableOpener } from '#tables';
import { TlsAcceptor } from './accept.ts';
import { isDigest } from './certificate.ts';
import { certificatesIn, type Chains, isBroken, type Problems } from './chain.ts';
import { authorities, finiteField, materialOf, noCertificates, sessionOptions } from './context-options.ts';
import { groupsOf, usableGroups } from './key-exchange-groups.ts';
import { contentOf, type KeyFiles, type TlsService } from './key-files.ts';
import { libraryText } from './library-text.ts';
import { detailedLevel } from './log-levels.ts';
import { opensslOptions, switchParameters, unknownSwitches, withoutSign } from './openssl-options.ts';
import { gapOptions, versionRange } from './protocols.ts';
import { chainOfValue, ServerNames } from './server-names.ts';
import { keepSessions } from './session-cache.ts';
import { believing } from './silent-trust.ts';

export interface ServerTlsOptions extends TlsService {
  readonly tables: TableOpener;
  /** From `readKeyFiles`. */
  readonly files: KeyFiles;
  readonly events: EventChannel;
  readonly now: () => number;
}

interface Demands {
  readonly isDemanded: boolean;
  readonly asksCertificate: boolean;
  readonly ciphers: string;
}

export interface Opened {
  readonly acceptor?: TlsAcceptor;
  readonly serverNames?: ServerNames | undefined;
  /** What OpenSSL says of the ciphers. */
  readonly cipherProblem?: string;
}

/** Settings that change nothing. */
function tellOfIgnored(service: TlsService, warn: (text: string) => void): void {
  const { settings, names } = service;
  for (const text of switchParameters.flatMap((name) => unknownSwitches(settings, name))) warn(text);
  if (!hasIgnoredKeys(service)) return;
  const [rsa = '', ec = '', dsa = ''] = names.keyPairs.map(([certificate]) => certificate);
  // with two blanks, as in Postfix's log
  const legacy = `one or more of the legacy  ${rsa}, ${ec} or ${dsa}`;
  warn(`Both ${names.chainFiles} and ${legacy} are non-empty; the legacy  parameters will be ignored`);
}

/** Makes what accepts handshakes; what keeps it from that is told. */
export async function openAcceptor(
  options: ServerTlsOptions,
  { isDemanded, asksCertificate, ciphers }: Demands,
): Promise<Opened> {
  const { settings, names, files, tables, events, now } = options;
  const warn = (text: string): void => events.emit({ kind: 'warning', text });
  const broken = (problems: Problems): Opened => {
    for (const problem of problems) warn(problem);
    return {};
  };
  if (Number.parseInt(settings.string(names.logLevel), 10) >= detailedLevel) events.emit({ kind: 'tlsEngine' });
  tellOfIgnored(options, warn);
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
  const { createSecureContext, createServer, getCACertificates, setDefaultCACertificates } = await import('node:tls');
  const trusted = authorities(options, files, () => getCACertificates('system'));
  if (typeof trusted === 'string') {
    events.emit({ kind: 'note', text: trusted });
    return {};
  }
  const all = asksCertificate ? [...trusted.named, ...trusted.unnamed] : [];
  const authorityList = onFirstUse(() => certificatesIn(all));
  // beside names that clients are told the others can't be kept from them
  const isSilent = all.length > 0 && trusted.named.length === 0;
  const made = <T>(make: () => T): T => {
    if (!isSilent) return make();
    const believed = authorityList().map((certificate) => certificate.toString());
    return believing(believed, { getCACertificates, setDefaultCACertificates }, make);
  };
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
    ...(isSilent ? {} : { ca: all }),
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
    settings.list(mapsName).map((spec) => tables.open(spec)),
    { warn },
  );
  const keepsSessions = settings.string('smtpd_tls_session_cache_database') !== '';
  const serverWith = (chains: Partial<Chains>): Server => {
    const server = made(() =>
      createServer({
        ...common,
        ...chains,
        requestCert: asksCertificate,
        rejectUnauthorized: false,
        // the longest of all; under stress the services wait less
        handshakeTimeout: settings.timerMs(names.timeout),
      }),
    );
    if (keepsSessions) keepSessions(server, sessionTimeout * 1000, now);
    return server;
  };
  const serverNames = maps.isEmpty
    ? undefined
    : new ServerNames({
        maps,
        createServer: serverWith,
        chainOf: (value, table) => chainOfValue(value, table, (path) => files.contents.get(path) ?? contentOf(path)),
        warn,
      });
  try {
    const acceptor = new TlsAcceptor(serverWith(hasCertificate ? material : {}), {
      whose: 'client',
      digest,
      verifyDepth: settings.int(names.verifyDepth),
      asksCertificate,
      authorities: authorityList,
      serverNames,
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
