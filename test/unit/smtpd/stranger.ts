import { PassThrough } from 'node:stream';
import type { ServedSocket } from '../../../src/smtpd/server.ts';

/** A connection of a client that says nothing. */
export function stranger(): ServedSocket {
  return Object.assign(new PassThrough(), {
    remoteAddress: '192.0.2.1',
    remotePort: 1,
    localAddress: '192.0.2.2',
    localPort: 25,
    setNoDelay: () => undefined,
  });
}
