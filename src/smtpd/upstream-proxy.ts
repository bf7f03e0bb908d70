/** The client behind a load balancer: reads the header that comes before the session. postconf(5) smtpd_upstream_proxy_protocol */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type AddressFamily, type ProxyHeader, ProxyHeaderReader } from '#smtp';
import { type ClientFacts, clientOf } from './session-state.ts';

export interface HeaderLimits {
  /** smtpd_upstream_proxy_timeout */
  readonly timeoutMs: number;
  readonly families: readonly AddressFamily[];
}

type Connection = Duplex & Pick<Socket, 'remoteAddress' | 'remotePort' | 'localAddress' | 'localPort'>;

export interface ToldClient {
  /** Undefined when the header is bad or did not come. */
  readonly client: ClientFacts | undefined;
  /** What came behind the header. */
  readonly early: Buffer;
}

/** Reads the header and leaves the connection paused. A bad one is warned of. */
export async function toldClient(
  connection: Connection,
  limits: HeaderLimits,
  warn: (text: string) => void,
): Promise<ToldClient> {
  const direct = clientOf(connection);
  const { header, bytes } = await readHeader(connection, limits);
  if (header.kind === 'bad') {
    warn(header.warning);
    return { client: undefined, early: Buffer.alloc(0) };
  }
  const early = bytes.subarray(header.length);
  if (header.kind === 'direct') return { client: direct, early };
  const { client, server } = header;
  const { address, port } = client;
  return {
    client: {
      ...direct,
      address,
      port,
      connectedFrom: address,
      serverAddress: server.address,
      serverPort: server.port,
    },
    early,
  };
}

function readHeader(
  connection: Connection,
  { timeoutMs, families }: HeaderLimits,
): Promise<{ readonly header: ProxyHeader; readonly bytes: Buffer }> {
  const reader = new ProxyHeaderReader(families);
  return new Promise((resolve) => {
    const settle = (header: ProxyHeader): void => {
      clearTimeout(timer);
      connection.pause();
      connection.off('data', onData);
      for (const name of endings) connection.off(name, onEnd);
      resolve({ header, bytes: reader.bytes });
    };
    const onData = (bytes: Buffer): void => {
      const header = reader.push(bytes);
      if (header !== undefined) settle(header);
    };
    const onEnd = (): void => settle(reader.finish('closed'));
    const timer = setTimeout(() => settle(reader.finish('timeout')), timeoutMs);
    const endings = ['end', 'close', 'error'] as const;
    connection.on('data', onData);
    for (const name of endings) connection.on(name, onEnd);
  });
}
