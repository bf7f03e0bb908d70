/** Certificates by the name that a client asks for. RFC 6066, 3; postconf(5) tls_server_sni_maps */
import type { Server } from 'node:tls';
import { isValidHostName } from '#address';
import { type MaybePromise, whenReady } from '#message';
import { namesFiles, type TableList } from '#tables';
import { type Chains, chainsOf, isBroken } from './chain.ts';
import { libraryText } from './library-text.ts';

/** What became of a name. */
export type NameOutcome = 'matched' | 'unmatched' | 'invalid';

export interface ServerNamesOptions {
  readonly maps: TableList;
  /** Throws when the keys can't be used. */
  readonly createServer: (chains: Chains) => Server;
  /** What a table's value means: Base64, or names of files. A text says what is wrong. */
  readonly chainOf: (value: string, table: string) => Buffer | string;
  readonly warn: (text: string) => void;
}

/** Names and chains that are remembered; beyond that they are worked out again. */
const maxRemembered = 1000;

export class ServerNames {
  readonly #options: ServerNamesOptions;
  readonly #servers = new Map<string, Server>();
  readonly #outcomes = new Map<string, NameOutcome>();

  constructor(options: ServerNamesOptions) {
    this.#options = options;
  }

  /** What became of a name that a client has asked for lately. */
  outcomeOf(name: string): NameOutcome | undefined {
    return this.#outcomes.get(name);
  }

  /** Whose certificates fit the name; undefined: the standard one's. Rejects when the handshake has to end. */
  async serverFor(name: string): Promise<Server | undefined> {
    if (!isValidHostName(name)) return this.#settle(name, 'invalid', undefined);
    const found = await this.#lookUp(name, name);
    if (found === undefined) return this.#settle(name, 'unmatched', undefined);
    let server = this.#servers.get(found.value);
    if (server === undefined) {
      server = this.#load(name, found);
      remember(this.#servers, found.value, server);
    }
    return this.#settle(name, 'matched', server);
  }

  #settle(name: string, outcome: NameOutcome, server: Server | undefined): Server | undefined {
    remember(this.#outcomes, name, outcome);
    return server;
  }

  /** The name, then `.parent` of each of its parents. */
  #lookUp(name: string, key: string): MaybePromise<{ readonly value: string; readonly table: string } | undefined> {
    const { maps, warn } = this.#options;
    return whenReady(
      maps.lookup(key),
      (answer): MaybePromise<{ readonly value: string; readonly table: string } | undefined> => {
        if (answer.kind === 'found') {
          return { value: answer.value, table: answer.table.name };
        }
        if (answer.kind === 'failed') {
          const problem = `tls_server_sni_maps: ${name} map lookup problem`;
          warn(problem);
          throw new Error(problem);
        }
        const dot = key.indexOf('.', 1);
        return dot < 0 ? undefined : this.#lookUp(name, key.slice(dot));
      },
    );
  }

  #load(name: string, { value, table }: { readonly value: string; readonly table: string }): Server {
    const { chainOf, createServer, warn } = this.#options;
    const source = `SNI data for ${name}`;
    const content = chainOf(value, table);
    if (typeof content === 'string') {
      warn(`table ${table}: key ${name}: ${content}`);
      warn(`tls_server_sni_maps: ${name} map lookup problem`);
      throw new Error(content);
    }
    const chains = chainsOf([{ name: source, content }]);
    const problems = isBroken(chains) ? chains : [];
    try {
      if (!isBroken(chains)) return createServer(chains);
    } catch (error) {
      warn(`TLS library problem: ${libraryText(error)}`);
    }
    for (const problem of problems) warn(problem);
    warn(`error loading private keys and certificates from: ${source}: aborting TLS handshake`);
    throw new Error('no usable chain');
  }
}

function remember<V>(map: Map<string, V>, key: string, value: V): void {
  if (map.size >= maxRemembered) map.clear();
  map.set(key, value);
}

/** The chain that a value of a table stands for; a text says what is wrong. `read`: the content of a file. */
export function chainOfValue(value: string, table: string, read: (path: string) => Buffer | string): Buffer | string {
  if (!namesFiles(table)) {
    return /^[A-Za-z0-9+/\s]+=*\s*$/.test(value)
      ? Buffer.from(value, 'base64')
      : `malformed BASE64 value: ${value.slice(0, 100)}`;
  }
  const parts: Buffer[] = [];
  for (const path of value.split(/[\s,]+/).filter((word) => word !== '')) {
    const content = read(path);
    if (typeof content === 'string') return `open ${path}: ${content}`;
    parts.push(content, Buffer.from('\n'));
  }
  return Buffer.concat(parts);
}
