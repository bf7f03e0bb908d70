/** The server's side of a handshake. RFC 3207, 4; RFC 8314, 3 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Duplex } from 'node:stream';
import type { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, Server, TLSSocket } from 'node:tls';
import type { TlsFacts } from '#message';
import { peerCertificate, rsaDigest, signatureOf, verificationProblem } from './certificate.ts';
import { FlightRecorder } from './client-flight.ts';
import { chainLength, clientDigest, sentAuthorities } from './client-evidence.ts';
import { keyExchangeOf } from './key-exchange.ts';
import { libraryText } from './library-text.ts';
import { ObservedStream } from './observed-stream.ts';

export type Accepted =
  | {
      readonly kind: 'accepted';
      readonly stream: TLSSocket;
      readonly facts: TlsFacts;
      /** An earlier session goes on. */
      readonly isReused: boolean;
      /** The name of the server as the client knows it; '' when it said none. */
      readonly requestedName: string;
    }
  /** `connection`: it broke, or took too long; `handshake`: the library says what is wrong. */
  | { readonly kind: 'failed'; readonly by: 'connection' | 'handshake'; readonly reason: string };

export interface AcceptOptions {
  /** smtpd_tls_fingerprint_digest */
  readonly digest: string;
  /** smtpd_tls_ccert_verifydepth */
  readonly verifyDepth: number;
  /** Those whose word about clients is believed. */
  readonly authorities: () => readonly X509Certificate[];
  /** Clients are asked who they are; what they answer is looked at on its way. */
  readonly asksCertificate: boolean;
  /** Whether there is a certificate for a name. */
  readonly hasChainFor: (serverName: string) => boolean;
}

/** Bits of the symmetric key, as the names of ciphers tell them. */
function keyBitsOf(cipher: string): number {
  const [, named] = /(?:AES|CAMELLIA|ARIA)_?(128|256)/.exec(cipher) ?? [];
  if (named !== undefined) return Number(named);
  if (cipher.includes('NULL')) return 0;
  if (cipher.includes('CHACHA20')) return 256;
  return /3DES|DES-CBC3/.test(cipher) ? 168 : 128;
}

type Failed = Extract<Accepted, { readonly kind: 'failed' }>;

interface Handshake {
  readonly settle: (result: TLSSocket | Failed) => void;
  /** undefined: nobody asks the client who it is. */
  readonly recorder: FlightRecorder | undefined;
}

/** Handshakes of one service. */
export class TlsAcceptor {
  readonly #server: Server;
  readonly #options: AcceptOptions;
  /** Node tells of a handshake by the server it belongs to; whose it is, the asynchronous context knows. */
  readonly #waiting = new AsyncLocalStorage<Handshake>();

  /** `server`: listens nowhere; it is given the connections that are to be secured. */
  constructor(server: Server, options: AcceptOptions) {
    this.#server = server;
    this.#options = options;
    server.on('secureConnection', (secured) => this.#waiting.getStore()?.settle(secured));
    server.on('tlsClientError', (error) => this.#waiting.getStore()?.settle(failureOf(error)));
    if (options.asksCertificate) server.on('keylog', (line) => this.#waiting.getStore()?.recorder?.addKeyLine(line));
  }

  /** `stream`: paused, without listeners, and what came before the handshake is gone. Never rejects. */
  async accept(stream: Duplex, timeoutMs: number): Promise<Accepted> {
    const { promise, resolve } = Promise.withResolvers<TLSSocket | Failed>();
    const fail = (reason: string): void => resolve({ kind: 'failed', by: 'connection', reason });
    const timer = setTimeout(() => fail('Connection timed out'), timeoutMs);
    const onClose = (): void => fail('lost connection');
    stream.once('close', onClose);
    // a reset must not be an exception; the handshake hears of it, too
    stream.on('error', () => undefined);
    const recorder = this.#options.asksCertificate ? new FlightRecorder() : undefined;
    const observed = recorder && new ObservedStream(stream, (bytes) => recorder.addBytes(bytes));
    const plain = observed ?? stream;
    // half a connection is none while hands are shaken: without this Node would not tell of its end
    const { allowHalfOpen } = plain;
    plain.allowHalfOpen = false;
    this.#waiting.run({ settle: resolve, recorder }, () => this.#server.emit('connection', plain));
    const result = await promise;
    plain.allowHalfOpen = allowHalfOpen;
    if (!('kind' in result)) result.allowHalfOpen = allowHalfOpen;
    clearTimeout(timer);
    stream.off('close', onClose);
    if (observed !== undefined) observed.observe = undefined;
    if ('kind' in result) {
      stream.destroy();
      return result;
    }
    try {
      return { kind: 'accepted', stream: result, ...this.#factsOf(result, recorder) };
    } catch (error) {
      // what a stranger's certificate can do to its readers must not reach others
      stream.destroy();
      return { kind: 'failed', by: 'handshake', reason: error instanceof Error ? error.message : String(error) };
    }
  }

  #factsOf(
    secured: TLSSocket,
    recorder: FlightRecorder | undefined,
  ): Omit<Extract<Accepted, { readonly kind: 'accepted' }>, 'kind' | 'stream'> {
    const { name: cipher } = secured.getCipher();
    const protocol = secured.getProtocol() ?? 'unknown';
    const isReused = secured.isSessionReused();
    const requested: unknown = Reflect.get(secured, 'servername');
    const requestedName = typeof requested === 'string' ? requested : '';
    const serverName = this.#options.hasChainFor(requestedName) ? requestedName : '';
    const peer = secured.getPeerX509Certificate();
    const messages = peer === undefined ? [] : (recorder?.messages(cipher) ?? []);
    const sent = sentAuthorities(messages, protocol);
    const basic = { protocol, cipher, keyBits: keyBitsOf(cipher), serverName, peer: this.#peerOf(secured, sent) };
    // older versions negotiate these too, but Postfix is silent about it
    if (protocol !== 'TLSv1.3') return { facts: basic, isReused, requestedName };
    const own = secured.getX509Certificate();
    const digest = isReused ? undefined : rsaDigest(secured.getSharedSigalgs());
    return {
      facts: {
        ...basic,
        keyExchange: keyExchangeOf(secured.getSession()),
        serverSignature: own === undefined ? undefined : signatureOf(own.publicKey, digest),
        clientSignature: peer === undefined ? undefined : signatureOf(peer.publicKey, clientDigest(messages)),
      },
      isReused,
      requestedName,
    };
  }

  #peerOf(secured: TLSSocket, sent: readonly X509Certificate[]): TlsFacts['peer'] {
    const certificate = secured.getPeerX509Certificate();
    if (certificate === undefined) return undefined;
    const { digest, verifyDepth, authorities } = this.#options;
    const last = chainOf(secured.getPeerCertificate(true)).at(-1);
    const authorizationError: unknown = secured.authorizationError;
    // as Postfix counts: one more authority than the setting says, besides the one that is known
    const limit = verifyDepth + 1;
    const code = typeof authorizationError === 'string' ? authorizationError : 'UNVERIFIED';
    const issuer = last === undefined ? '' : issuerText(last);
    const problem = secured.authorized
      ? chainLength(certificate, sent, authorities()) > limit + 2
        ? `certificate chain longer than limit(${limit})`
        : undefined
      : verificationProblem(code, issuer);
    return peerCertificate(certificate, problem, digest);
  }
}

/** From a certificate to the last one that its signatures lead to. */
function chainOf(first: DetailedPeerCertificate): readonly DetailedPeerCertificate[] {
  const chain = [first];
  let next: DetailedPeerCertificate | undefined = first.issuerCertificate;
  while (next !== undefined && !chain.includes(next)) {
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}

function issuerText({ issuer }: DetailedPeerCertificate): string {
  return Object.entries(issuer)
    .flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((one) => `/${name}=${one}`))
    .join('');
}

function failureOf(error: Error): Failed {
  const code: unknown = Reflect.get(error, 'code');
  const broken = (reason: string): Failed => ({ kind: 'failed', by: 'connection', reason });
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return broken('Connection timed out');
  if (code === 'ECONNRESET') return broken('syscall' in error ? 'Connection reset by peer' : 'lost connection');
  return { kind: 'failed', by: 'handshake', reason: libraryText(error) };
}
