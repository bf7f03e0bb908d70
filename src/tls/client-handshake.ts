/** A handshake with a server: how it goes, and what is known of the server then. RFC 8446; RFC 5246 */
import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { SecureContext, TLSSocket } from 'node:tls';
import type { HandshakeSignature, TlsFacts } from '#message';
import { thrownText } from '#native';
import { signatureOf } from './certificate.ts';
import { keyBitsOf } from './cipher-bits.ts';
import { keyExchangeFrom } from './key-exchange.ts';
import { libraryText } from './library-text.ts';
import { type PeerJudge, shownBy } from './peer-judge.ts';

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

/** Who the server was by its certificate: one that a session goes on with shows none again, and signs nothing. */
type ServerFacts = Pick<TlsFacts, 'peer' | 'serverSignature'>;

export interface KeptSession extends ServerFacts {
  readonly data: Buffer;
}

export interface HandshakeOptions {
  /** Connected, without listeners for data. */
  readonly socket: Socket;
  readonly context: SecureContext;
  readonly timeoutMs: number;
  /** The name that the server is told it is asked for by; '': none. */
  readonly serverName: string;
  readonly judge: PeerJudge;
  /** What it may go on with. */
  readonly kept: KeptSession | undefined;
  /** Hears of what another one may go on with: behind the handshake in TLS 1.3, within it in older versions. */
  readonly onSession: (session: KeptSession) => void;
}

/** Never rejects; what failed leaves the socket to the caller. */
export async function shakeHands(
  { connect }: Pick<typeof import('node:tls'), 'connect'>,
  { socket, context, timeoutMs, serverName, judge, kept, onSession }: HandshakeOptions,
): Promise<ClientHandshake> {
  const { promise, resolve } = Promise.withResolvers<ClientHandshake>();
  const fail = (reason: string): void => resolve({ kind: 'failed', reason });
  const secured = connect({
    socket,
    secureContext: context,
    // whether it is the right one is judged by rules of our own
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...(serverName !== '' && { servername: serverName }),
    ...(kept && { session: kept.data }),
  });
  let known: ServerFacts | undefined;
  let data: Buffer | undefined;
  const keep = (): void => {
    if (known !== undefined && data !== undefined) onSession({ ...known, data });
  };
  secured.on('session', (session) => {
    data = session;
    keep();
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
      const result = resultOf(secured, judge, kept);
      const { peer, serverSignature } = result.facts;
      known = { peer, serverSignature };
      keep();
      resolve(result);
    } catch (error) {
      // what a stranger's certificate can do to its readers must not reach others
      fail(thrownText(error));
    }
  });
  const result = await promise;
  clearTimeout(timer);
  return result;
}

/** `kept`: the session that the handshake may have gone on with. */
function resultOf(
  secured: TLSSocket,
  judge: PeerJudge,
  kept: ServerFacts | undefined,
): Extract<ClientHandshake, { readonly kind: 'secured' }> {
  const { name: cipher } = secured.getCipher();
  const protocol = secured.getProtocol() ?? 'unknown';
  const isResumed = secured.isSessionReused();
  const shown = isResumed ? undefined : shownBy(secured);
  const certificate = shown?.own;
  const facts: TlsFacts = {
    protocol,
    cipher,
    keyBits: keyBitsOf(cipher),
    serverName: '',
    peer: isResumed ? kept?.peer : shown && judge.judge(secured, shown.own, shown).peer,
    // as for servers, of older versions not more is told
    ...(protocol === 'TLSv1.3' && {
      keyExchange: keyExchangeFrom(secured.getEphemeralKeyInfo()),
      serverSignature: isResumed
        ? withoutDigest(kept?.serverSignature)
        : certificate && signatureOf(certificate.publicKey, undefined),
    }),
  };
  return { kind: 'secured', socket: secured, facts, certificate, sent: shown?.sent ?? [] };
}

function withoutDigest(signature: HandshakeSignature | undefined): HandshakeSignature | undefined {
  if (signature === undefined) return undefined;
  const { digest: _digest, ...rest } = signature;
  return rest;
}
