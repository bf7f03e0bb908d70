/** TLS of the SMTP and LMTP clients: what is said in handshakes, and how they end. TLS_README; postconf(5) smtp_tls_CAfile */
import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import type { EventChannel } from '#events';
import { BoundedMemory } from '#message';
import { certificatesIn, type Chains, isBroken, type Problems } from './chain.ts';
import { isDigest } from './certificate.ts';
import { cipherList } from './cipher-list.ts';
import { type ClientHandshake, type KeptSession, shakeHands } from './client-handshake.ts';
import { type Authorities, authorities, ownMaterial } from './context-options.ts';
import { groupsOf, usableGroups } from './key-exchange-groups.ts';
import type { KeyFiles, TlsService } from './key-files.ts';
import { libraryText } from './library-text.ts';
import { opensslOptions, withoutSign } from './openssl-options.ts';
import type { ClientTlsParameters } from './parameters.ts';
import { PeerJudge } from './peer-judge.ts';
import { gapOptions, versionRange } from './protocols.ts';
import { maxSessions } from './session-cache.ts';

export interface ClientTlsOptions extends TlsService<ClientTlsParameters> {
  /** From `readKeyFiles`. */
  readonly files: KeyFiles;
  readonly events: EventChannel;
  /** ms since the epoch. */
  readonly now: () => number;
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
  /** Who is believed instead of the authorities of the settings, whoever vouches for them. */
  readonly anchors?: readonly X509Certificate[] | undefined;
  /** The name that the server is told it is asked for by; '': none. RFC 6066, 3 */
  readonly serverName: string;
}

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
  /** Undefined: none are kept. smtp_tls_session_cache_database */
  readonly #sessions: BoundedMemory<KeptSession> | undefined;
  #isBroken = false;

  constructor(options: ClientTlsOptions) {
    const { settings, names, now } = options;
    this.#options = options;
    if (settings.string(names.sessionCache) !== '')
      this.#sessions = new BoundedMemory({ ttlMs: settings.ms(names.sessionTimeout), maxEntries: maxSessions, now });
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
    // a server that has to be the right one shows all it has each time
    const sessions = demands.needsCertificate ? undefined : this.#sessions;
    const sessionKey = JSON.stringify([server, demands.serverName, contextKey(demands)]);
    const kept = sessions?.get(sessionKey);
    const result = await shakeHands(tls, {
      socket,
      context,
      timeoutMs,
      serverName: demands.serverName,
      judge: prepared.judge,
      kept,
      onSession: (session) => sessions?.set(sessionKey, session),
    });
    // it may have been the session's fault
    if (result.kind === 'failed') sessions?.delete(sessionKey);
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
    // what strangers' records ask for is not worth keeping
    if (demands.anchors !== undefined) return this.#makeContext(prepared, demands, tls);
    const key = contextKey(demands);
    const known = this.#contexts.get(key) ?? this.#makeContext(prepared, demands, tls);
    this.#contexts.set(key, known);
    return known;
  }

  #makeContext(
    { material, trusted }: Prepared,
    { isDemanded, needsCertificate, anchors, excluded = [], ...demands }: ClientDemands,
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
      ...(anchors === undefined
        ? { ca: [...trusted.named, ...trusted.unnamed] }
        : { ca: anchors.map(String), allowPartialTrustChain: true }),
      // Postfix leaves it to protocols and ciphers what is good enough, but in chains of authorities it wants more
      ciphers: `${list}:@SECLEVEL=${anchors === undefined ? 0 : 1}`,
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

function contextKey({ isDemanded, needsCertificate, protocols, ciphers, excluded = [] }: ClientDemands): string {
  return JSON.stringify([isDemanded, needsCertificate, protocols, ciphers, excluded]);
}
