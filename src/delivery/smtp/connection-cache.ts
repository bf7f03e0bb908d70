/**
 * Connections kept open for the next message, by destination and by server (smtp_connection_cache_*).
 *
 * A connection rests here alone, for a bounded time; what the server says or does meanwhile ends it.
 */
import type { AddressList } from './addresses.ts';
import type { Connection } from './connection.ts';
import { type Endpoint, endpointLabel } from './endpoint.ts';
import type { ReadyServer } from './introduction.ts';
import type { TlsLevel } from './tls-levels.ts';

export interface KeptConnection {
  readonly connection: Connection;
  readonly server: ReadyServer;
  /** The destination it was opened for, and the servers that were found for it. */
  readonly destination: string;
  readonly domain: string;
  readonly list: AddressList;
}

export interface ConnectionCache {
  /** `level`: of the mail that is to go over it. */
  forDestination(destination: string, level: TlsLevel): KeptConnection | undefined;
  forServer(endpoint: Endpoint, level: TlsLevel): KeptConnection | undefined;
  /** Keeps a connection for as long as the limits say. */
  keep(kept: KeptConnection): void;
  /** Ends all that rest. */
  close(): void;
}

/** More than this rest at no time: the oldest go first. */
const maxResting = 500;

/** `goodbye` ends a connection politely. */
export function createConnectionCache(idleMs: number, goodbye: (connection: Connection) => void): ConnectionCache {
  const resting = new Map<Connection, { readonly kept: KeptConnection; readonly timer: NodeJS.Timeout }>();
  const take = (matches: (kept: KeptConnection) => boolean): KeptConnection | undefined => {
    for (const [connection, { kept, timer }] of resting) {
      if (!matches(kept)) continue;
      clearTimeout(timer);
      resting.delete(connection);
      connection.wake();
      if (!connection.isLost) return kept;
    }
    return undefined;
  };
  const drop = (connection: Connection): void => {
    const entry = resting.get(connection);
    if (entry === undefined) return;
    clearTimeout(entry.timer);
    resting.delete(connection);
    connection.wake();
    goodbye(connection);
  };
  return {
    forDestination: (destination, level) =>
      take((kept) => kept.destination === destination && kept.connection.tls.level === level),
    forServer(endpoint, level) {
      const label = endpointLabel(endpoint);
      return take(({ connection }) => connection.label === label && connection.tls.level === level);
    },
    keep(kept) {
      const { connection } = kept;
      const timer = setTimeout(() => drop(connection), idleMs);
      timer.unref();
      resting.set(connection, { kept, timer });
      connection.rest(() => drop(connection));
      const [oldest] = resting.keys();
      if (resting.size > maxResting && oldest !== undefined) drop(oldest);
    },
    close() {
      for (const connection of resting.keys()) drop(connection);
    },
  };
}
