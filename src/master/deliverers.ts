/**
 * The processes that run as receiving users, one a user: their start and their end.
 *
 * One more than are needed is started ahead, as root and idle: it becomes the next user when it is told whom, so that
 * the first delivery to a user does not wait for a process to start.
 */
import type { ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { openSocketPair } from '#native';
import { allocatorEnvironment, delivererEngineOptions } from './engine-options.ts';
import { processState } from './process-state.ts';
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

export interface DelivererWatch {
  /** A process was stopped (SIGSTOP), as its user can, and is killed therefore: mail must not wait for it. */
  readonly onStopped: (pid: number) => void;
  /** How often that is looked for, while there are any. */
  readonly everyMs?: number;
}

interface Deliverer {
  readonly child: ChildProcess;
  /** The other end of its stream. */
  readonly stream: number;
}

export class Deliverers {
  readonly #entry: readonly string[];
  readonly #running = new Set<ChildProcess>();
  readonly #named = new Map<string, ChildProcess>();
  #spare: Deliverer | undefined;
  readonly #watch: DelivererWatch;
  #watchTimer: NodeJS.Timeout | undefined;
  #isStopped = false;

  /** `entry`: arguments that lead the engine to the command line's entry. */
  constructor(entry: readonly string[], watch: DelivererWatch) {
    this.#entry = entry;
    this.#watch = watch;
  }

  /** Starts the spare process, in `directory`, where commands run. Without one the next start shows what is wrong. */
  prepare(directory: string): void {
    if (this.#spare !== undefined || this.#isStopped) return;
    const spare = this.#spawn(directory, () => undefined);
    this.#spare = spare;
    spare?.child.once('exit', () => {
      if (this.#spare !== spare) return;
      this.#spare = undefined;
      closeSync(spare.stream);
    });
  }

  /** Makes a process that of a user; gives its stream, to be closed. Undefined: there is none, and `onError` hears why. */
  start({ name, uid, gid, limits, onError }: DelivererStart, directory: string): number | undefined {
    if (this.#running.size > mostDeliverers) {
      onError('too many delivery processes');
      return undefined;
    }
    const deliverer = this.#spare ?? this.#spawn(directory, onError);
    this.#spare = undefined;
    if (deliverer === undefined) return undefined;
    const { child, stream } = deliverer;
    this.#named.set(name, child);
    this.#watchTimer ??= setInterval(() => this.#look(), this.#watch.everyMs ?? lookEveryMs).unref();
    child.once('exit', () => {
      if (this.#named.get(name) === child) this.#named.delete(name);
    });
    child.stdin?.end(`${uid} ${gid}\n${limits === undefined ? '' : JSON.stringify(limits)}\n`);
    // when this delivery is under way there is time for the next one
    setTimeout(() => this.prepare(directory), prepareAfterMs).unref();
    return stream;
  }

  /** Gives the process id; undefined when there is none of that name any more. */
  kill(name: string): number | undefined {
    const child = this.#named.get(name);
    child?.kill('SIGKILL');
    return child?.pid;
  }

  #spawn(directory: string, onFailure: (reason: string) => void): Deliverer | undefined {
    const stream = openSocketPair('stream');
    if (stream === undefined) {
      onFailure('no descriptors are left');
      return undefined;
    }
    const child = startProcess(
      [process.execPath, ...delivererEngineOptions, ...this.#entry, 'deliverer'],
      {
        cwd: directory,
        stdio: ['pipe', 'ignore', 'inherit', stream.theirs],
        env: { PATH: '/usr/bin:/bin', ...allocatorEnvironment, ...inheritedEnvironment() },
      },
      onFailure,
    );
    closeSync(stream.theirs);
    if (child === undefined) {
      closeSync(stream.ours);
      return undefined;
    }
    this.#running.add(child);
    child.once('exit', () => this.#running.delete(child));
    child.stdin?.on('error', () => child.stdin?.destroy());
    return { child, stream: stream.ours };
  }

  #look(): void {
    for (const pid of this.#killStopped()) this.#watch.onStopped(pid);
    if (this.#named.size > 0) return;
    clearInterval(this.#watchTimer);
    this.#watchTimer = undefined;
  }

  /** Gives their process ids. */
  #killStopped(): readonly number[] {
    const stopped = [...this.#running].filter(({ pid = 0 }) => processState(pid) === 'T');
    for (const child of stopped) child.kill('SIGKILL');
    return stopped.map(({ pid = 0 }) => pid);
  }

  /** Ends all of them: those that have not ended after `limitMs` are killed. */
  async stop(limitMs: number): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#watchTimer);
    const ends = [...this.#running].map((child) => new Promise((resolve) => child.once('exit', resolve)));
    for (const child of this.#running) child.kill('SIGTERM');
    const limit = Promise.withResolvers<void>();
    const timers = [setTimeout(limit.resolve, limitMs), setInterval(() => this.#killStopped(), stopLookEveryMs)];
    await Promise.race([Promise.all(ends), limit.promise]);
    timers.forEach(clearTimeout);
    for (const child of this.#running) child.kill('SIGKILL');
  }
}

const lookEveryMs = 5000;
const stopLookEveryMs = 50;
const prepareAfterMs = 200;

/** Far more than the process limits of services that deliver allow at once; who asks for them may have been taken over. */
const mostDeliverers = 1000;

/** Where compiled code is, and the zone; everything else of our environment stays away from users' commands. */
const inheritedNames = ['NODE_COMPILE_CACHE', 'NODE_COMPILE_CACHE_PORTABLE', 'TZ'];

function inheritedEnvironment(): Readonly<Record<string, string>> {
  const given = inheritedNames.map((name) => [name, process.env[name]] as const);
  return Object.fromEntries(given.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])));
}
