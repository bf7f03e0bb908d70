/**
 * The processes that run as receiving users, one a user: their start and their end.
 *
 * One more than are needed is started ahead, as root and idle: it becomes the next user when it is told whom, so that
 * the first delivery to a user does not wait for a process to start.
 */
import type { ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { allocatorEnvironment, delivererEngineOptions } from './engine-options.ts';
import type { RootMailbox } from './root-mailbox.ts';
import { startProcess } from './start-process.ts';

export interface DelivererStart {
  /** By which it can be killed. */
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** For root: all that it may do. */
  readonly limits?: RootMailbox;
  readonly onError: (reason: string) => void;
}

export class Deliverers {
  readonly #entry: readonly string[];
  readonly #running = new Set<ChildProcess>();
  readonly #named = new Map<string, ChildProcess>();
  #spare: ChildProcess | undefined;
  #isStopped = false;

  /** `entry`: arguments that lead the engine to the command line's entry. */
  constructor(entry: readonly string[]) {
    this.#entry = entry;
  }

  /** Starts the spare process, in `directory`, where commands run. Without one the next start shows what is wrong. */
  prepare(directory: string): void {
    if (this.#spare !== undefined || this.#isStopped) return;
    const child = this.#spawn(directory, () => undefined);
    this.#spare = child;
    child?.once('exit', () => {
      if (this.#spare === child) this.#spare = undefined;
    });
  }

  /** Makes a process that of a user; gives its stream. Undefined: there is none, and `onError` hears why. */
  start({ name, uid, gid, limits, onError }: DelivererStart, directory: string): Socket | undefined {
    const child = this.#spare ?? this.#spawn(directory, onError);
    this.#spare = undefined;
    if (child === undefined) return undefined;
    this.#named.set(name, child);
    child.once('exit', () => this.#named.delete(name));
    child.stdin?.end(`${uid} ${gid}\n${limits === undefined ? '' : JSON.stringify(limits)}\n`);
    // when this delivery is under way there is time for the next one
    setTimeout(() => this.prepare(directory), prepareAfterMs).unref();
    const stream = child.stdio[3];
    return stream instanceof Socket ? stream : undefined;
  }

  /** Gives the process id; undefined when there is none of that name any more. */
  kill(name: string): number | undefined {
    const child = this.#named.get(name);
    child?.kill('SIGKILL');
    return child?.pid;
  }

  #spawn(directory: string, onFailure: (reason: string) => void): ChildProcess | undefined {
    const child = startProcess(
      [process.execPath, ...delivererEngineOptions, ...this.#entry, 'deliverer'],
      {
        cwd: directory,
        stdio: ['pipe', 'ignore', 'inherit', 'pipe'],
        env: { PATH: '/usr/bin:/bin', ...allocatorEnvironment, ...inheritedEnvironment() },
      },
      onFailure,
    );
    if (child === undefined) return undefined;
    this.#running.add(child);
    child.once('exit', () => this.#running.delete(child));
    for (const stream of [child.stdin, child.stdio[3]]) stream?.on('error', () => stream.destroy());
    return child;
  }

  stop(): void {
    this.#isStopped = true;
    for (const child of this.#running) child.kill('SIGTERM');
  }
}

const prepareAfterMs = 200;

/** Where compiled code is, and the zone; everything else of our environment stays away from users' commands. */
const inheritedNames = ['NODE_COMPILE_CACHE', 'NODE_COMPILE_CACHE_PORTABLE', 'TZ'];

function inheritedEnvironment(): Readonly<Record<string, string>> {
  const given = inheritedNames.map((name) => [name, process.env[name]] as const);
  return Object.fromEntries(given.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])));
}
