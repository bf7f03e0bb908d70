/** The server's side of a handshake. RFC 3207, 4; RFC 8314, 3 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Duplex } from 'node:stream';
import type { Server, TLSSocket } from 'node:tls';
import type { TlsFacts } from '#message';
import { thrownText } from '#native';
import { rsaDigest, signatureOf } from './certificate.ts';
import { keyBitsOf } from './cipher-bits.ts';
import { readHello, serverNameIn } from './client-hello.ts';
import { clientDigest, sentAuthorities, type VerifyStep } from './client-evidence.ts';
import { alertsIn } from './handshake-messages.ts';
import { HandshakeRecorder } from './handshake-recorder.ts';
import { brokenStatesOf, statesOf } from './handshake-states.ts';
import { keyExchangeOf } from './key-exchange.ts';
import { libraryText } from './library-text.ts';
import { ObservedStream, type Observer } from './observed-stream.ts';
import { PeerJudge, type PeerRules } from './peer-judge.ts';
import type { ServerNames } from './server-names.ts';

export type Accepted =
  | {
      readonly kind: 'accepted';
      readonly stream: TLSSocket;
      readonly facts: TlsFacts;
      /** An earlier session goes on. */
      readonly isReused: boolean;
      /** The name of the server as the client knows it; '' when it said none. */
      readonly requestedName: string;
      /** What the handshake went through; none where nobody watches. */
      readonly states: readonly string[];
      readonly verification: readonly VerifyStep[];
    }
  /** `connection`: it broke, or took too long; `handshake`: the library says what is wrong. */
  | {
      readonly kind: 'failed';
      readonly by: 'connection' | 'handshake';
      readonly reason: string;
      readonly states: readonly string[];
    };

/** What is to be seen of a handshake beyond its result. */
export interface Watch {
  readonly wantsStates: boolean;
  /** Sees each byte. */
  readonly trace?: Observer | undefined;
  /** Also behind the handshake. */
  readonly tracesAll: boolean;
}

const unwatched: Watch = { wantsStates: false, tracesAll: false };

export interface AcceptOptions extends PeerRules {
  /** Clients are asked who they are; what they answer is looked at on its way. */
  readonly asksCertificate: boolean;
  /** Names that have certificates of their own; undefined: none has. */
  readonly serverNames: ServerNames | undefined;
}

type Failed = Omit<Extract<Accepted, { readonly kind: 'failed' }>, 'states'>;

/** A fatal alert of this name. RFC 8446, 6 */
const internalError = Buffer.from([21, 3, 3, 0, 2, 2, 80]);

interface Handshake {
  readonly settle: (result: TLSSocket | Failed) => void;
  /** undefined: nobody asks the client who it is, or all has been said. */
  recorder: HandshakeRecorder | undefined;
}

/** Handshakes of one service. */
export class TlsAcceptor {
  readonly #server: Server;
  readonly #options: AcceptOptions;
  readonly #judge: PeerJudge;
  /** Node tells of a handshake by the server it belongs to; whose it is, the asynchronous context knows. */
  readonly #waiting = new AsyncLocalStorage<Handshake>();

  /** `server`: listens nowhere; it is given the connections that are to be secured. */
  constructor(server: Server, options: AcceptOptions) {
    this.#server = server;
    this.#options = options;
    this.#judge = new PeerJudge(options);
  }

  /** `stream`: paused, without listeners, and what came before the handshake is gone. Never rejects. */
  async accept(stream: Duplex, timeoutMs: number, watch: Watch = unwatched): Promise<Accepted> {
    const { promise, resolve } = Promise.withResolvers<TLSSocket | Failed>();
    const fail = (reason: string): void => resolve({ kind: 'failed', by: 'connection', reason });
    const timer = setTimeout(() => fail('Connection timed out'), timeoutMs);
    const onClose = (): void => fail('lost connection');
    stream.once('close', onClose);
    // a reset must not be an exception; the handshake hears of it, too
    stream.on('error', () => undefined);
    const isRecorded = this.#options.asksCertificate || watch.wantsStates;
    const recorder = isRecorded ? new HandshakeRecorder() : undefined;
    const observed =
      recorder &&
      new ObservedStream(stream, (direction, bytes) => {
        watch.trace?.(direction, bytes);
        recorder.addBytes(direction, bytes);
      });
    const plain = observed ?? stream;
    // half a connection is none while hands are shaken: without this Node would not tell of its end
    const { allowHalfOpen } = plain;
    plain.allowHalfOpen = false;
    const handshake: Handshake = { settle: resolve, recorder };
    const server = await Promise.race([this.#serverFor(plain), promise.then(() => undefined)]);
    if (server === undefined) fail('lost connection');
    else if ('kind' in server) resolve(server);
    else {
      this.#listen(server, isRecorded);
      this.#waiting.run(handshake, () => server.emit('connection', plain));
    }
    const result = await promise;
    // the context lives as long as the connection
    handshake.recorder = undefined;
    plain.allowHalfOpen = allowHalfOpen;
    if (!('kind' in result)) result.allowHalfOpen = allowHalfOpen;
    clearTimeout(timer);
    stream.off('close', onClose);
    if (observed !== undefined) observed.observe = watch.tracesAll ? watch.trace : undefined;
    const seen = watch.wantsStates ? recorder : undefined;
    if ('kind' in result) {
      stream.destroy();
      return { ...result, states: seen === undefined ? [] : statesOfFailed(seen, result) };
    }
    const { name: cipher } = result.getCipher();
    const states = seen === undefined ? [] : statesOf(seen.messages('in', cipher), seen.messages('out', cipher));
    try {
      return { kind: 'accepted', stream: result, ...this.#factsOf(result, recorder), states };
    } catch (error) {
      // what a stranger's certificate can do to its readers must not reach others
      stream.destroy();
      const reason = thrownText(error);
      return { kind: 'failed', by: 'handshake', reason, states };
    }
  }

  /** By the name that the client asks for, where that matters; undefined: the client has gone. */
  async #serverFor(stream: Duplex): Promise<Server | Failed | undefined> {
    const { serverNames } = this.#options;
    if (serverNames === undefined) return this.#server;
    const hello = await readHello(stream);
    if (hello === undefined) return undefined;
    const name = serverNameIn(hello);
    if (name === '') return this.#server;
    try {
      return (await serverNames.serverFor(name)) ?? this.#server;
    } catch {
      // why was told; OpenSSL would say as much
      stream.write(internalError);
      return { kind: 'failed', by: 'handshake', reason: 'error:0A0000EA:SSL routines::callback failed' };
    }
  }

  /** The secrets of handshakes are only worked out for those who ask clients for certificates, or watch. */
  #listen(server: Server, wantsSecrets: boolean): void {
    if (server.listenerCount('secureConnection') === 0) {
      server.on('secureConnection', (secured) => this.#waiting.getStore()?.settle(secured));
      server.on('tlsClientError', (error) => this.#waiting.getStore()?.settle(failureOf(error)));
    }
    if (wantsSecrets && server.listenerCount('keylog') === 0) {
      server.on('keylog', (line) => this.#waiting.getStore()?.recorder?.addKeyLine(line));
    }
  }

  #factsOf(
    secured: TLSSocket,
    recorder: HandshakeRecorder | undefined,
  ): Omit<Extract<Accepted, { readonly kind: 'accepted' }>, 'kind' | 'stream' | 'states'> {
    const { name: cipher } = secured.getCipher();
    const protocol = secured.getProtocol() ?? 'unknown';
    const isReused = secured.isSessionReused();
    const requested: unknown = Reflect.get(secured, 'servername');
    const requestedName = typeof requested === 'string' ? requested : '';
    const isMatched = this.#options.serverNames?.outcomeOf(requestedName) === 'matched';
    const serverName = isMatched ? requestedName : '';
    const peer = secured.getPeerX509Certificate();
    const messages = peer === undefined ? [] : (recorder?.messages('in', cipher) ?? []);
    const sent = sentAuthorities(messages, protocol);
    const judgement = peer === undefined ? undefined : this.#judge.judge(secured, peer, { sent });
    // who goes on with a session is not verified again
    const verification = messages.length === 0 ? [] : (judgement?.verification ?? []);
    const basic = { protocol, cipher, keyBits: keyBitsOf(cipher), serverName, peer: judgement?.peer };
    // older versions negotiate these too, but Postfix is silent about it
    if (protocol !== 'TLSv1.3') return { facts: basic, isReused, requestedName, verification };
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
      verification,
    };
  }
}

const handshakeByte = 22;

function statesOfFailed(seen: HandshakeRecorder, { by }: Failed): readonly string[] {
  const [client, server] = [seen.messages('in', ''), seen.messages('out', '')];
  if (by === 'connection') return statesOf(client, server);
  const isTls = seen.bytes('in')[0] === handshakeByte;
  return brokenStatesOf({ client, server, isTls, alerts: alertsIn(seen.bytes('out')) });
}

function failureOf(error: Error): Failed {
  const code: unknown = Reflect.get(error, 'code');
  const broken = (reason: string): Failed => ({ kind: 'failed', by: 'connection', reason });
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return broken('Connection timed out');
  if (code === 'ECONNRESET') return broken('syscall' in error ? 'Connection reset by peer' : 'lost connection');
  return { kind: 'failed', by: 'handshake', reason: libraryText(error) };
}
