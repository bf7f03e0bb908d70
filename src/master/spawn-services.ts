/** spawn(8): for each connection to a service's socket a command runs, as its user, and talks over the connection. */
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import {
  ConfigError,
  type Configuration,
  placeOfService,
  privilegesOf,
  type ServiceEntry,
  splitServiceArguments,
  unknownAttribute,
} from '#config';
import type { EventChannel } from '#events';
import { duplicateDescriptor, getGroupByName, getUserByName } from '#native';
import { asUser } from './as-user.ts';
import { listenOn } from './listen-on.ts';
import { describeEnd } from './process-end.ts';
import { startProcess } from './start-process.ts';

interface SpawnSettings {
  readonly entry: ServiceEntry;
  readonly argv: readonly string[];
  readonly uid: number;
  readonly gid: number;
  /** SERVICE_time_limit, else command_time_limit. */
  readonly limitMs: number;
  /** Commands at once; 0: any number. */
  readonly processLimit: number;
  /** Of a service of type unix. */
  readonly path: string;
}

/** Where a service of type inet listens. */
export interface SpawnPlace {
  readonly service: string;
  readonly address: string;
  readonly port: number;
  /** A listening socket that stays open when the service is closed; undefined: open it here. */
  readonly fd?: number;
}

export interface SpawnServicesOptions {
  readonly configuration: Configuration;
  /** Channel of the service (`postfix/spawn`). */
  readonly events: EventChannel;
  /** Whose the directories of sockets are; undefined: ours. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
}

/** Throws ConfigError, with the entry's file and line. */
function readSpawnSettings(entry: ServiceEntry, configuration: Configuration): SpawnSettings {
  const refuse = (text: string): ConfigError => new ConfigError([`${placeOfService(entry, 'spawn')}${text}`]);
  if (entry.type !== 'unix' && entry.type !== 'inet')
    throw refuse(`type ${entry.type} is not supported; use inet or unix`);
  const { attributes, argv } = splitServiceArguments(entry.args);
  const stray = unknownAttribute(attributes, ['user']);
  if (stray !== undefined) throw refuse(stray);
  if (argv.length === 0) throw refuse('missing argv= attribute; write the command after it, last of all');
  const [userName = '', groupName = ''] = (attributes.get('user') ?? '').split(':');
  const user = getUserByName(userName);
  const group = groupName === '' ? undefined : getGroupByName(groupName);
  if (user === undefined || (groupName !== '' && group === undefined))
    throw refuse(`user=${attributes.get('user') ?? ''}: no such user or group; name the user that the command runs as`);
  const gid = group?.gid ?? user.gid;
  const settings = configuration.settingsFor(entry);
  const privileges = privilegesOf({ uid: user.uid, gid }, settings, process.getuid?.() === 0);
  if (privileges !== undefined)
    throw refuse(`user=${attributes.get('user') ?? ''} specifies ${privileges}; name a user without privileges`);
  return {
    entry,
    argv,
    uid: user.uid,
    gid,
    limitMs: settings.timerMs(`${entry.name}_time_limit`),
    processLimit: entry.processLimit,
    path: join(settings.string('queue_directory'), entry.isPrivate ? 'private' : 'public', entry.name),
  };
}

type Where = { readonly path: string } | { readonly host: string; readonly port: number } | { readonly fd: number };

class SpawnService {
  readonly #settings: SpawnSettings;
  readonly #options: SpawnServicesOptions;
  readonly #servers: Server[] = [];
  readonly #waiting: Socket[] = [];
  #running = 0;

  constructor(settings: SpawnSettings, options: SpawnServicesOptions) {
    this.#settings = settings;
    this.#options = options;
  }

  async listen(places: readonly SpawnPlace[]): Promise<void> {
    const { entry, path } = this.#settings;
    if (entry.type === 'inet') {
      for (const { address, port, fd } of places.filter(({ service }) => service === entry.name))
        await this.#listenAt(fd === undefined ? { host: address, port } : { fd: duplicateDescriptor(fd) });
      return;
    }
    await asUser(this.#options.owner, () => {
      rmSync(path, { force: true });
      // for everybody from the start: whose directory it is could lead a chmod of the name elsewhere
      const umask = process.umask(0o111);
      // the socket is made before this returns
      const listening = this.#listenAt({ path });
      process.umask(umask);
      return listening;
    });
  }

  async #listenAt(where: Where): Promise<void> {
    // what the client sends is for the command
    const server = createServer({ pauseOnConnect: true }, (socket) => {
      socket.on('error', () => socket.destroy());
      this.#waiting.push(socket);
      this.#next();
    });
    this.#servers.push(server);
    await listenOn(server, where, (text) => this.#options.events.emit({ kind: 'warning', text }));
  }

  #next(): void {
    const { processLimit } = this.#settings;
    if (processLimit > 0 && this.#running >= processLimit) return;
    const socket = this.#waiting.shift();
    if (socket !== undefined) this.#run(socket);
  }

  #run(socket: Socket): void {
    const { argv, uid, gid, limitMs } = this.#settings;
    const { configuration, events } = this.#options;
    const [command = ''] = argv;
    const warn = (text: string): void => events.emit({ kind: 'warning', text });
    const isOther = process.getuid?.() !== uid;
    this.#running += 1;
    const end = (trouble: string | undefined): void => {
      if (trouble !== undefined) warn(trouble);
      this.#running -= 1;
      this.#next();
    };
    const child = startProcess(
      argv,
      {
        ...(isOther && { uid, gid }),
        cwd: configuration.settings.string('queue_directory'),
        stdio: [socket, socket, socket],
        env: { PATH: '/usr/bin:/bin', MAIL_CONFIG: configuration.directory, LANG: 'C' },
        timeout: limitMs,
        killSignal: 'SIGKILL',
      },
      (reason) => end(`command ${command}: ${reason}`),
    );
    child?.once('exit', (status, signal) => {
      if (status === 0) return end(undefined);
      const limit = signal === 'SIGKILL' ? ', perhaps for its time limit' : '';
      end(`command ${command} ${describeEnd(status, signal)}${limit}`);
    });
    socket.destroy();
  }

  close(): void {
    // which takes the name of its socket away
    asUser(this.#options.owner, () => this.#servers.forEach((server) => server.close()));
    for (const socket of this.#waiting.splice(0)) socket.destroy();
  }
}

export class SpawnServices {
  readonly #services: readonly SpawnService[];

  /** Throws ConfigError. */
  constructor(options: SpawnServicesOptions) {
    const { configuration } = options;
    this.#services = configuration.services
      .filter(({ command }) => command === 'spawn')
      .map((entry) => new SpawnService(readSpawnSettings(entry, configuration), options));
  }

  /** @param places of services of type inet; those of others are passed over. */
  async listen(places: readonly SpawnPlace[]): Promise<void> {
    for (const service of this.#services) await service.listen(places);
  }

  /** Commands that run end by themselves. */
  close(): void {
    for (const service of this.#services) service.close();
  }
}
