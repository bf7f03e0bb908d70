/** What accepts handshakes, made of all that a service's settings say of keys, ciphers and authorities. TLS_README */
import { createHash } from 'node:crypto';
import type { SecureContextOptions, Server } from 'node:tls';
import type { EventChannel } from '#events';
import { createTableList, type TableOpener } from '#tables';
import { TlsAcceptor } from './accept.ts';
import { isDigest } from './certificate.ts';
import { type Chains, isBroken, type Problems } from './chain.ts';
import {
  authorities,
  type Authorities,
  finiteField,
  materialOf,
  noCertificates,
  sessionOptions,
} from './context-options.ts';
import { groupsOf, usableGroups } from './key-exchange-groups.ts';
import { contentOf, type KeyFiles, type TlsService } from './key-files.ts';
import { libraryText } from './library-text.ts';
import { detailedLevel } from './log-levels.ts';
import { opensslOptions, switchParameters, unknownSwitches, withoutSign } from './openssl-options.ts';
import { gapOptions, type VersionRange, versionRange } from './protocols.ts';
import { chainOfValue, ServerNames } from './server-names.ts';
import { keepSessions } from './session-cache.ts';
import { trustIn } from './silent-trust.ts';

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
export async function openAcceptor(options: ServerTlsOptions, demands: Demands): Promise<Opened> {
  const { settings, names, files, events } = options;
  const { asksCertificate, ciphers } = demands;
  const warn = (text: string): void => events.emit({ kind: 'warning', text });
  if (Number.parseInt(settings.string(names.logLevel), 10) >= detailedLevel) events.emit({ kind: 'tlsEngine' });
  tellOfIgnored(options, warn);
  const basics = readBasics(options, demands);
  if (isBroken(basics)) {
    for (const problem of basics) warn(problem);
    return {};
  }
  // loaded only where it is asked for
  const tls = await import('node:tls');
  const trusted = authorities(options, files, () => tls.getCACertificates('system'));
  if (typeof trusted === 'string') {
    events.emit({ kind: 'note', text: trusted });
    return {};
  }
  const trust = trustIn(asksCertificate ? trusted : nobody, tls);
  const context: SecureContextOptions = {
    ...contextOf(options, basics, tls.createSecureContext),
    ...trust.context,
    ciphers: atAnyLevel(ciphers),
    // sessions of clients that were asked who they are belong to this service alone
    sessionIdContext: createHash('sha256').update(`${names.securityLevel} ${ciphers}`).digest('hex').slice(0, 32),
  };
  const cipherProblem = problemWith(() => tls.createSecureContext({ ciphers: atAnyLevel(ciphers), ca: [] }));
  if (cipherProblem !== undefined) return { cipherProblem };
  const createServer = (chains: Partial<Chains>): Server => {
    const rules = {
      requestCert: asksCertificate,
      rejectUnauthorized: false,
      // the longest of all; under stress the services wait less
      handshakeTimeout: settings.timerMs(names.timeout),
    };
    const server = trust.whileBelieved(() => tls.createServer({ ...context, ...chains, ...rules }));
    if (settings.string('smtpd_tls_session_cache_database') !== '')
      keepSessions(server, sessionOptions(settings).sessionTimeout * 1000, options.now);
    return server;
  };
  const serverNames = serverNamesOf(options, createServer, warn);
  const { digest, material } = basics;
  try {
    const acceptor = new TlsAcceptor(createServer(material.cert.length > 0 ? material : {}), {
      whose: 'client',
      digest,
      verifyDepth: settings.int(names.verifyDepth),
      asksCertificate,
      authorities: trust.certificates,
      serverNames,
    });
    return { acceptor, serverNames };
  } catch (error) {
    for (const problem of [disabled, `TLS library problem: ${libraryText(error)}`]) warn(problem);
    return {};
  }
}

const nobody: Authorities = { named: [], unnamed: [] };

const disabled = 'disabling TLS support';

/** Postfix leaves it to protocols and ciphers what is good enough. */
function atAnyLevel(ciphers: string): string {
  return `${ciphers}:@SECLEVEL=0`;
}

/** What there is no TLS without. */
interface Basics {
  readonly protocols: readonly string[];
  readonly range: VersionRange;
  readonly material: Chains;
  readonly digest: string;
}

function readBasics(options: ServerTlsOptions, { isDemanded, asksCertificate }: Demands): Basics | Problems {
  const { settings, names, files } = options;
  const protocols = settings.list(isDemanded ? names.mandatoryProtocols : names.protocols);
  const range = versionRange(protocols);
  if (typeof range === 'string') return [`Invalid TLS protocol list "${protocols.join(' ')}": ${disabled}`];
  const material = materialOf(options, files);
  if (isBroken(material)) return material;
  if (material.cert.length === 0 && asksCertificate)
    return ['Need a server cert to request client certs', noCertificates];
  const digest = settings.string(names.fingerprintDigest);
  if (!isDigest(digest)) return [`Digest algorithm "${digest}" not found`, disabled];
  return { protocols, range, material, digest };
}

/** Versions, key exchange, options and tickets. */
function contextOf(
  options: ServerTlsOptions,
  { protocols, range, material }: Basics,
  createSecureContext: (options: SecureContextOptions) => unknown,
): SecureContextOptions {
  const { settings, files, events } = options;
  const field = finiteField(options, files);
  if (field.problem !== undefined) events.emit({ kind: 'warning', text: field.problem });
  const ecdhCurve = usableGroups(groupsOf(settings), createSecureContext);
  const { secureOptions, sessionTimeout } = sessionOptions(settings);
  return {
    ...range,
    // later versions know no server without a certificate
    ...(material.cert.length > 0 || range.maxVersion !== 'TLSv1.3' ? {} : { maxVersion: 'TLSv1.2' as const }),
    ...field.options,
    ...(ecdhCurve === undefined ? {} : { ecdhCurve }),
    honorCipherOrder: settings.bool('tls_preempt_cipherlist'),
    secureOptions: withoutSign(secureOptions | gapOptions(protocols) | opensslOptions(settings)),
    sessionTimeout,
  };
}

/** Certificates by name; undefined: there is one for all. */
function serverNamesOf(
  { settings, tables, files }: ServerTlsOptions,
  createServer: (chains: Chains) => Server,
  warn: (text: string) => void,
): ServerNames | undefined {
  const parameter = 'tls_server_sni_maps';
  const maps = createTableList(
    parameter,
    settings.list(parameter).map((spec) => tables.open(spec)),
    { warn },
  );
  if (maps.isEmpty) return undefined;
  return new ServerNames({
    maps,
    createServer,
    chainOf: (value, table) => chainOfValue(value, table, (path) => files.contents.get(path) ?? contentOf(path)),
    warn,
  });
}

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
