/** The listening sockets of the system. They stay open over reloads, whatever becomes of the processes that accept. master(8) */
import { closeSync } from 'node:fs';
import { type Configuration, ConfigError, placeOf, type ServiceEntry } from '#config';
import { type ListenerResult, openListener, sharePort } from '#native';
import { listenAddresses } from './listen-addresses.ts';

export interface Listener {
  readonly service: string;
  /** The program of master.cf that it is for. */
  readonly command: string;
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
type Place = Pick<Listener, 'address' | 'port'>;
const anyAddress: ReadonlySet<string> = new Set(['0.0.0.0', '::']);
const keyOf = ({ address, port }: Place): string => `${address} ${port}`;

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
          const listener =
            open === undefined
              ? openFor(entry, place, [...this.#inUse.values(), ...opened])
              : { ...open, service: entry.name, command: entry.command };
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

/** Are they one port, once of all addresses of a family and once of one of them? */
const overlap = (one: Place, other: Place): boolean =>
  one.port === other.port && (anyAddress.has(one.address) || anyAddress.has(other.address));

/** Throws ConfigError. */
function openFor(entry: ServiceEntry, place: Place, ours: readonly Listener[]): Listener {
  const { address, port } = place;
  const open = (sharesPort: boolean): ListenerResult => openListener(address, port, backlog, sharesPort);
  let opened = open(false);
  // one address may have a service of its own beside that of all; Postfix lets other systems share the port, too
  const besides = ours.filter((listener) => overlap(listener, place));
  if (opened.kind === 'failed' && besides.length > 0) {
    for (const { fd } of besides) sharePort(fd);
    opened = open(true);
  }
  if (opened.kind === 'failed')
    throw new ConfigError([
      `${placeOf(entry.origin)}bind ${address} port ${port} for service ${entry.name}/inet: ${opened.reason}`,
    ]);
  return { service: entry.name, command: entry.command, address, port, fd: opened.fd };
}

function closeAll(listeners: readonly Listener[]): void {
  for (const { fd } of listeners) closeSync(fd);
}
