/** The processes that run as receiving users, one a user: their start and their end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { allocatorEnvironment, delivererEngineOptions } from './engine-options.ts';

export interface DelivererStart {
  readonly uid: number;
  readonly gid: number;
  readonly onError: (reason: string) => void;
}

export class Deliverers {
  readonly #entry: readonly string[];
  readonly #running = new Set<ChildProcess>();

  /** `entry`: arguments that lead the engine to the command line's entry. */
  constructor(entry: readonly string[]) {
    this.#entry = entry;
  }

  /** Starts one in `directory`, where commands run; gives its stream, undefined when there is none. */
  start({ uid, gid, onError }: DelivererStart, directory: string): Socket | undefined {
    const role = ['deliverer', String(uid), String(gid)];
    const child = spawn(process.execPath, [...delivererEngineOptions, ...this.#entry, ...role], {
      cwd: directory,
      stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
      env: { PATH: '/usr/bin:/bin', ...allocatorEnvironment, ...cacheEnvironment() },
    });
    child.once('error', (error) => onError(error.message));
    const stream = child.stdio[3];
    if (!(stream instanceof Socket)) return undefined;
    this.#running.add(child);
    child.once('exit', () => this.#running.delete(child));
    stream.on('error', () => stream.destroy());
    return stream;
  }

  stop(): void {
    for (const child of this.#running) child.kill('SIGTERM');
  }
}

/** The compile cache and the zone; everything else of our environment stays away from users' commands. */
function cacheEnvironment(): Readonly<Record<string, string>> {
  const { NODE_COMPILE_CACHE: cache, TZ: zone } = process.env;
  return { ...(cache === undefined ? {} : { NODE_COMPILE_CACHE: cache }), ...(zone === undefined ? {} : { TZ: zone }) };
}
