/** The listening sockets of the system. They stay open over reloads, whatever becomes of the processes that accept. master(8) */
import { closeSync } from 'node:fs';
import { type Configuration, ConfigError } from '#config';
import { openListener } from '#native';
import { addressBytes, listenAddresses } from './listen-addresses.ts';

export interface Listener {
  readonly service: string;
  readonly address: string;
  readonly port: number;
  readonly fd: number;
}

/** The sockets that a configuration wants. */
export interface WantedListeners {
  readonly all: readonly Listener[];
  /** They are in use from now on, and others are closed. */
  keep(): void;
  /** Closes those that were opened for it. */
  drop(): void;
}

const backlog = 1024;
const keyOf = ({ address, port }: Pick<Listener, 'address' | 'port'>): string => `${address} ${port}`;

export class Listeners {
  #inUse: ReadonlyMap<string, Listener> = new Map();

  /** Opens those that are not open yet. Throws ConfigError; then none was opened. */
  async open(configuration: Configuration): Promise<WantedListeners> {
    const wanted = new Map<string, Listener>();
    const opened: Listener[] = [];
    const drop = (): void => closeAll(opened);
    try {
      for (const entry of configuration.services.filter((service) => service.type === 'inet')) {
        for (const place of await listenAddresses(entry, configuration.settingsFor(entry))) {
          const open = this.#inUse.get(keyOf(place));
          const listener = open === undefined ? openFor(entry.name, place) : { ...open, service: entry.name };
          if (open === undefined) opened.push(listener);
          wanted.set(keyOf(place), listener);
        }
      }
    } catch (error) {
      drop();
      throw error;
    }
    const keep = (): void => {
      closeAll([...this.#inUse].filter(([key]) => !wanted.has(key)).map(([, listener]) => listener));
      this.#inUse = wanted;
    };
    return { all: [...wanted.values()], keep, drop };
  }
}

/** Throws ConfigError. */
function openFor(service: string, { address, port }: Pick<Listener, 'address' | 'port'>): Listener {
  const opened = openListener(addressBytes(address), port, backlog);
  if (opened.kind === 'failed')
    throw new ConfigError([`bind ${address} port ${port} for service ${service}/inet: ${opened.reason}`]);
  return { service, address, port, fd: opened.fd };
}

function closeAll(listeners: readonly Listener[]): void {
  for (const { fd } of listeners) closeSync(fd);
}
