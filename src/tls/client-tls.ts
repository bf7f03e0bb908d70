/** TLS of the SMTP and LMTP clients: what is said in handshakes, and how they end. TLS_README; postconf(5) smtp_tls_CAfile */
import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { SecureContext, SecureContextOptions, TLSSocket } from 'node:tls';
import type { EventChannel } from '#events';
import type { TlsFacts } from '#message';
import { certificatesIn, type Chains, isBroken, type Problems } from './chain.ts';
import { isDigest, signatureOf } from './certificate.ts';
import { keyBitsOf } from './cipher-bits.ts';
import { cipherList } from './cipher-list.ts';
import { type Authorities, authorities, ownMaterial } from './context-options.ts';
import { groupsOf, usableGroups } from './key-exchange-groups.ts';
import { keyExchangeFrom } from './key-exchange.ts';
import type { KeyFiles, TlsService } from './key-files.ts';
import { libraryText } from './library-text.ts';
import { opensslOptions, withoutSign } from './openssl-options.ts';
import type { ClientTlsParameters } from './parameters.ts';
import { PeerJudge, shownBy } from './peer-judge.ts';
import { gapOptions, versionRange } from './protocols.ts';

export interface ClientTlsOptions extends TlsService<ClientTlsParameters> {
  /** From `readKeyFiles`. */
  readonly files: KeyFiles;
  readonly events: EventChannel;
}

/** What is asked of a handshake. */
export interface ClientDemands {
  /** There is no mail without TLS. */
  readonly isDemanded: boolean;
  /** Who the server is has to be known. */
  readonly needsCertificate: boolean;
  /** Instead of the settings: versions, and the grade of ciphers. */
  readonly protocols?: readonly string[] | undefined;
  readonly ciphers?: string | undefined;
  /** Ciphers that are excluded besides those of the settings. */
  readonly excluded?: readonly string[];
  /** The name that the server is told it is asked for by; '': none. RFC 6066, 3 */
  readonly serverName: string;
}

export type ClientHandshake =
  | {
      readonly kind: 'secured';
      readonly socket: Socket;
      readonly facts: TlsFacts;
      /** undefined: the server has shown none. */
      readonly certificate: X509Certificate | undefined;
      /** Those that it has sent along with it. */
      readonly sent: readonly X509Certificate[];
    }
  /** `reason`: how the handshake ended; undefined: it never began, and why was told. `library`: what OpenSSL says. */
  | { readonly kind: 'failed'; readonly reason?: string; readonly library?: string };

/** What is wrong with the settings, or with a policy. */
interface ContextProblem {
  readonly problem: string;
  /** What OpenSSL says of it. */
  readonly library?: string;
}

interface Prepared {
  readonly material: Chains;
  readonly trusted: Authorities;
  readonly judge: PeerJudge;
}

/** TLS of one service. What is wrong with its settings is told when it is used for the first time. */
export class ClientTls {
  readonly #options: ClientTlsOptions;
  readonly #contexts = new Map<string, SecureContext | ContextProblem>();
  #prepared: Prepared | undefined;
  #isBroken = false;

  constructor(options: ClientTlsOptions) {
    this.#options = options;
  }

  /** Whether there are keys and authorities as the settings want them. */
  async isAvailable(): Promise<boolean> {
    return this.#prepare(await import('node:tls')) !== undefined;
  }

  /** `socket`: connected, without listeners for data. Never rejects; what failed leaves the socket to the caller. */
  async secure(
    socket: Socket,
    demands: ClientDemands,
    { server, timeoutMs }: { readonly server: string; readonly timeoutMs: number },
  ): Promise<ClientHandshake> {
    // loaded only when a server offers it
    const tls = await import('node:tls');
    const prepared = this.#prepare(tls);
    if (prepared === undefined) return { kind: 'failed' };
    const context = this.#contextFor(prepared, demands, tls);
    if ('problem' in context) {
      this.#warn(`${server}: ${context.problem}`);
      if (context.library !== undefined) this.#warn(`TLS library problem: ${context.library}`);
      return { kind: 'failed' };
    }
    const { promise, resolve } = Promise.withResolvers<ClientHandshake>();
    const fail = (reason: string): void => resolve({ kind: 'failed', reason });
    const secured = tls.connect({
      socket,
      secureContext: context,
      // whether it is the right one is judged by rules of our own
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      ...(demands.serverName !== '' && { servername: demands.serverName }),
    });
    const timer = setTimeout(() => fail('Connection timed out'), timeoutMs);
    secured.on('error', (error) => {
      const isGone = 'code' in error && error.code === 'ECONNRESET';
      if (isGone) fail('syscall' in error ? 'Connection reset by peer' : 'lost connection');
      else resolve({ kind: 'failed', reason: '-1', library: libraryText(error) });
    });
    secured.once('close', () => fail('lost connection'));
    secured.once('secureConnect', () => {
      try {
        resolve(resultOf(secured, prepared.judge));
      } catch (error) {
        // what a stranger's certificate can do to its readers must not reach others
        fail(error instanceof Error ? error.message : String(error));
      }
    });
    const result = await promise;
    clearTimeout(timer);
    return result;
  }

  #warn(text: string): void {
    this.#options.events.emit({ kind: 'warning', text });
  }

  /** Keys and authorities; undefined, and told of once, when they can't be used. */
  #prepare({ getCACertificates }: typeof import('node:tls')): Prepared | undefined {
    if (this.#isBroken) return undefined;
    return (this.#prepared ??= this.#read(() => getCACertificates('system')));
  }

  #read(systemAuthorities: () => readonly string[]): Prepared | undefined {
    const { settings, names, files, events } = this.#options;
    const broken = (problems: Problems): undefined => {
      this.#isBroken = true;
      for (const problem of problems) this.#warn(problem);
      return undefined;
    };
    const digest = settings.string(names.fingerprintDigest);
    if (!isDigest(digest)) return broken([`Digest algorithm "${digest}" not found`, 'disabling TLS support']);
    const trusted = authorities(this.#options, files, systemAuthorities);
    if (typeof trusted === 'string') {
      events.emit({ kind: 'note', text: trusted });
      return broken([]);
    }
    const found = ownMaterial(this.#options, files);
    const isInChainFiles = settings.list(names.chainFiles).length > 0;
    if (isBroken(found) && !isInChainFiles) return broken(found);
    if (isBroken(found)) for (const problem of found) this.#warn(problem);
    // as Postfix, which then shows nobody who it is
    const material = isBroken(found) ? { cert: [], key: [] } : found;
    const known = certificatesIn([...trusted.named, ...trusted.unnamed]);
    const verifyDepth = settings.int(names.verifyDepth);
    const judge = new PeerJudge({ digest, verifyDepth, authorities: () => known, whose: 'server' });
    return { material, trusted, judge };
  }

  #contextFor(
    prepared: Prepared,
    demands: ClientDemands,
    tls: typeof import('node:tls'),
  ): SecureContext | ContextProblem {
    const { isDemanded, needsCertificate, protocols, ciphers, excluded = [] } = demands;
    const key = JSON.stringify([isDemanded, needsCertificate, protocols, ciphers, excluded]);
    const known = this.#contexts.get(key) ?? this.#makeContext(prepared, demands, tls);
    this.#contexts.set(key, known);
    return known;
  }

  #makeContext(
    { material, trusted }: Prepared,
    { isDemanded, needsCertificate, excluded = [], ...demands }: ClientDemands,
    { createSecureContext }: typeof import('node:tls'),
  ): SecureContext | ContextProblem {
    const { settings, names } = this.#options;
    const protocols = demands.protocols ?? settings.list(isDemanded ? names.mandatoryProtocols : names.protocols);
    const range = versionRange(protocols);
    if (typeof range === 'string')
      return { problem: `Invalid TLS protocol list "${protocols.join(' ')}": aborting TLS session` };
    const { grade, list } = cipherList(settings, names, {
      isDemanded,
      asksCertificate: needsCertificate,
      grade: demands.ciphers,
      excluded,
    });
    if (list === undefined) return { problem: `invalid cipher grade: "${grade}"` };
    const curve = usableGroups(groupsOf(settings), createSecureContext);
    const options: SecureContextOptions = {
      ...range,
      ...material,
      ca: [...trusted.named, ...trusted.unnamed],
      // Postfix leaves it to protocols and ciphers what is good enough
      ciphers: `${list}:@SECLEVEL=0`,
      ...(curve === undefined ? {} : { ecdhCurve: curve }),
      secureOptions: withoutSign(gapOptions(protocols) | opensslOptions(settings)),
    };
    try {
      return createSecureContext(options);
    } catch (error) {
      return { problem: `error setting cipher grade: "${grade}"`, library: libraryText(error) };
    }
  }
}

function resultOf(secured: TLSSocket, judge: PeerJudge): ClientHandshake {
  const { name: cipher } = secured.getCipher();
  const protocol = secured.getProtocol() ?? 'unknown';
  const shown = shownBy(secured);
  const certificate = shown?.own;
  const facts: TlsFacts = {
    protocol,
    cipher,
    keyBits: keyBitsOf(cipher),
    serverName: '',
    peer: shown && judge.judge(secured, shown.own, shown).peer,
    // as for servers, of older versions not more is told
    ...(protocol === 'TLSv1.3' && {
      keyExchange: keyExchangeFrom(secured.getEphemeralKeyInfo()),
      serverSignature: certificate && signatureOf(certificate.publicKey, undefined),
    }),
  };
  return { kind: 'secured', socket: secured, facts, certificate, sent: shown?.sent ?? [] };
}
