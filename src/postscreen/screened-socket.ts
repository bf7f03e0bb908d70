/** What postscreen needs of a connection, and how it names the two ends. */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { endAddress } from '#address';
import type { Endpoint } from '#smtp';

export type ScreenedSocket = Duplex &
  Pick<Socket, 'remoteAddress' | 'remotePort' | 'localAddress' | 'localPort' | 'destroySoon'> & {
    setNoDelay(on: boolean): unknown;
  };

export interface Endpoints {
  readonly client: Endpoint;
  readonly server: Endpoint;
}

/** What a real server is told of a connection it gets. */
export interface HandedOver extends Endpoints {
  /** What the client has sent so far. */
  readonly early: Buffer;
}

/** Undefined: the client is gone already. */
export function endpointsOf(socket: ScreenedSocket): Endpoints | undefined {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (remoteAddress === undefined || localAddress === undefined) return undefined;
  return {
    client: { address: endAddress(remoteAddress), port: String(remotePort ?? '') },
    server: { address: endAddress(localAddress), port: String(localPort ?? '') },
  };
}

/** `[address]:port` */
export function endpointText({ address, port }: Endpoint): string {
  return `[${address}]:${port}`;
}
