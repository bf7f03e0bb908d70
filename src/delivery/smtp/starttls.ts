/** TLS of the client: which level holds for a destination, and the handshake (inventory, f.5; RFC 3207). */
import { isIP } from 'node:net';
import type { Connection } from './connection.ts';
import type { SmtpSettings } from './settings.ts';

/** The levels that can be kept so far: whatever asks for more is refused before a byte is sent. */
export type TlsLevel = 'none' | 'may' | 'encrypt';

export type TlsStart =
  | {
      readonly kind: 'started';
      readonly facts: {
        readonly trust: 'Anonymous' | 'Untrusted' | 'Trusted';
        readonly protocol: string;
        readonly cipher: string;
      };
    }
  | { readonly kind: 'failed'; readonly reason: string };

/** Puts TLS on a connection after the server said yes to STARTTLS. Certificates are not asked for a name. */
export async function startTls(connection: Connection, settings: SmtpSettings): Promise<TlsStart> {
  // loaded only when a server offers it
  const tls = await import('node:tls');
  const { promise, resolve } = Promise.withResolvers<TlsStart>();
  const { host } = connection.endpoint;
  const plain = connection.socket;
  plain.removeAllListeners('data');
  const secured = tls.connect({
    socket: plain,
    rejectUnauthorized: false,
    secureOptions: settings.tls.sslOptions,
    ...(isIP(host) === 0 && { servername: host }),
  });
  const timer = setTimeout(
    () => resolve({ kind: 'failed', reason: 'Connection timed out' }),
    settings.timeouts.startTls,
  );
  secured.once('error', (error) => resolve({ kind: 'failed', reason: error.message }));
  secured.once('close', () => resolve({ kind: 'failed', reason: 'lost connection' }));
  secured.once('secureConnect', () => {
    const { name } = secured.getCipher();
    const protocol = secured.getProtocol() ?? 'unknown';
    resolve({
      kind: 'started',
      facts: { trust: secured.authorized ? 'Trusted' : 'Untrusted', protocol, cipher: name },
    });
  });
  const result = await promise;
  clearTimeout(timer);
  if (result.kind === 'started') connection.adopt(secured);
  return result;
}
