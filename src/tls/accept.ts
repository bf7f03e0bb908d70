/** The server's side of a handshake. RFC 3207, 4; RFC 8314, 3 */
import type { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';

/** What a connection is protected by. */
export interface TlsFacts {
  /** `TLSv1.3` */
  readonly protocol: string;
  readonly cipher: string;
  readonly keyBits: number;
}

export type Accepted =
  | { readonly kind: 'accepted'; readonly stream: Duplex; readonly facts: TlsFacts }
  | { readonly kind: 'failed'; readonly reason: string };

/** Bits of the symmetric key, as the names of ciphers tell them. */
function keyBitsOf(cipher: string): number {
  if (/256|CHACHA20/.test(cipher)) return 256;
  return /3DES|DES-CBC3/.test(cipher) ? 168 : 128;
}

/** `stream`: paused, without listeners, and what came before the handshake is gone. Never rejects. */
export async function acceptTls(stream: Duplex, context: SecureContext, timeoutMs: number): Promise<Accepted> {
  const { TLSSocket } = await import('node:tls');
  const { Socket } = await import('node:net');
  if (!(stream instanceof Socket)) return { kind: 'failed', reason: 'no network connection' };
  const secured = new TLSSocket(stream, { isServer: true, secureContext: context });
  const { promise, resolve } = Promise.withResolvers<Accepted>();
  const fail = (reason: string): void => resolve({ kind: 'failed', reason });
  const timer = setTimeout(() => fail('timeout'), timeoutMs);
  secured.once('secure', () => {
    const { name } = secured.getCipher();
    const protocol = secured.getProtocol() ?? 'unknown';
    resolve({ kind: 'accepted', stream: secured, facts: { protocol, cipher: name, keyBits: keyBitsOf(name) } });
  });
  const onError = (error: Error): void => fail(error.message);
  const onClose = (): void => fail('lost connection');
  secured.on('error', onError);
  secured.once('close', onClose);
  const result = await promise;
  clearTimeout(timer);
  if (result.kind === 'failed') {
    // its errors are nobody's any more
    secured.on('error', () => undefined);
    secured.destroy();
    stream.destroy();
  }
  secured.off('error', onError).off('close', onClose);
  return result;
}
