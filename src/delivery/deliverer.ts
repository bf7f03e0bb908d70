/**
 * Acting as a receiving user: requests to a process that runs as that user, or to this one where it is that user.
 */
import type { Duplex } from 'node:stream';
import { longestTimerMs, Roster } from '#message';
import { PieceSource } from './deliverer-content.ts';
import { FrameReader, FrameWriter } from './deliverer-frames.ts';
import {
  type DelivererCall,
  type DelivererRequest,
  type DelivererResult,
  failedResult,
  isNumbered,
  parseResult,
} from './deliverer-protocol.ts';
import { DelivererWork } from './deliverer-work.ts';
import { callsInThreads } from './file-calls.ts';
import { emptyCopy, type MailboxCopy, shapedCopy } from './shaped-copy.ts';

export interface DelivererPool {
  /** `copy`: what is to be written. Rejects when it can't be read. */
  run(uid: number, gid: number, request: DelivererRequest, copy?: MailboxCopy): Promise<DelivererResult>;
  close(): void;
}

const stuckResult = (limitMs: number): DelivererResult =>
  failedResult('4.3.0', `no sign of life from the delivery process for ${Math.round(limitMs / 1000)}s`);

/**
 * A pool that writes in this process: only the own uid is possible. What takes longer than `limitMs` is given up, and
 * taken back should the system ever return from it. daemon_timeout
 */
export function createLocalPool(uid: number, limitMs = longestTimerMs): DelivererPool {
  const work = new DelivererWork(callsInThreads);
  const run = async (request: DelivererRequest, copy = emptyCopy): Promise<DelivererResult> => {
    const stuck = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<DelivererResult>((resolve) => {
      timer = setTimeout(() => resolve(stuckResult(limitMs)), Math.min(limitMs, longestTimerMs));
      timer.unref();
    });
    const result = await Promise.race([work.run(request, shapedCopy(copy), stuck.signal), limit]);
    clearTimeout(timer);
    stuck.abort();
    return result;
  };
  return {
    run: (wanted, _gid, request, copy) =>
      wanted === uid
        ? run(request, copy)
        : Promise.resolve(failedResult('4.3.0', `delivery as user ${wanted} needs the system to be started as root`)),
    close: () => undefined,
  };
}

/** What this side does for a request that is under way. */
interface Open {
  readonly answer: (result: DelivererResult) => void;
  readonly sendMore: () => void;
  readonly watchdog: NodeJS.Timeout;
}

const idleMs = 30_000;
/** Each takes 20 MB. */
const mostResting = 20;

/** What becomes of a process that is stuck, in a file system that does not answer for example. */
export interface Watchdog {
  /** Without a sign of life for so long a process is given up. daemon_timeout */
  readonly limitMs: number;
  /** Ends the process behind a stream; it takes no notice of the end of its stream any more. */
  readonly kill: (stream: Duplex) => void;
}

const patience: Watchdog = { limitMs: longestTimerMs, kill: () => undefined };

interface ProcessEvents {
  readonly onIdle: () => void;
  /** It takes no more work. */
  readonly onEnd: () => void;
}

/** A process that runs as a receiving user. */
class Process {
  readonly #stream: Promise<Duplex>;
  readonly #writer: Promise<FrameWriter>;
  readonly #open = new Roster<number, Open>();
  readonly #events: ProcessEvents;
  readonly #watchdog: Watchdog;
  #nextId = 0;
  #working = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(connected: Promise<Duplex>, events: ProcessEvents, watchdog: Watchdog) {
    this.#events = events;
    this.#watchdog = watchdog;
    this.#stream = connected;
    this.#writer = connected.then((stream) => {
      const reader = new FrameReader();
      stream.on('data', (chunk: Buffer) => {
        for (const { json } of reader.push(chunk)) this.#take(json);
      });
      stream.on('error', () => stream.destroy());
      stream.on('close', () => this.#fail(failedResult('4.3.0', 'the delivery process ended')));
      return new FrameWriter(stream);
    });
    this.#writer.catch((error: unknown) => this.#failFor(error));
  }

  #fail(result: DelivererResult): void {
    this.#events.onEnd();
    for (const { answer, watchdog } of this.#open.values()) {
      clearTimeout(watchdog);
      answer(result);
    }
    this.#open.clear();
  }

  #failFor(error: unknown): void {
    this.#fail(failedResult('4.3.0', error instanceof Error ? error.message : String(error)));
  }

  #giveUp(): void {
    this.#fail(stuckResult(this.#watchdog.limitMs));
    this.#stream.then(
      (stream) => {
        this.#watchdog.kill(stream);
        stream.destroy();
      },
      () => undefined,
    );
  }

  #take(json: unknown): void {
    if (!isNumbered(json)) return;
    const call = this.#open.get(json.id);
    if (json['want'] === true) {
      call?.watchdog.refresh();
      call?.sendMore();
      return;
    }
    this.#open.delete(json.id);
    clearTimeout(call?.watchdog);
    call?.answer(parseResult(json['result']));
  }

  async run(request: DelivererRequest, copy: MailboxCopy | undefined): Promise<DelivererResult> {
    this.#working += 1;
    try {
      return await this.#run(request, copy);
    } finally {
      this.#working -= 1;
      if (this.#working === 0) this.#idle();
    }
  }

  async #run(request: DelivererRequest, copy: MailboxCopy | undefined): Promise<DelivererResult> {
    const source = new PieceSource(copy?.content ?? []);
    const taken = source.take();
    const first = taken instanceof Promise ? await taken : taken;
    this.#nextId += 1;
    const id = this.#nextId;
    let broken: { readonly error: unknown } | undefined;
    const result = new Promise<DelivererResult>((answer) => {
      const sendMore = async (): Promise<void> => {
        try {
          const { bytes, hasMore } = await source.take();
          this.#send({ id, more: hasMore }, bytes);
        } catch (error) {
          broken = { error };
          this.#send({ id, broken: true });
        }
      };
      const watchdog = setTimeout(() => this.#giveUp(), Math.min(this.#watchdog.limitMs, longestTimerMs));
      watchdog.unref();
      this.#open.set(id, { answer, sendMore: () => void sendMore(), watchdog });
    });
    this.#send({ id, request, shape: copy?.shape, more: first.hasMore }, first.bytes);
    const answer = await result;
    if (first.hasMore) await source.close();
    if (broken !== undefined) throw broken.error;
    return answer;
  }

  #send(call: DelivererCall, bytes?: Buffer): void {
    this.#writer.then(
      (writer) => writer.send(call, bytes),
      // who asks when it is known already that there is no process hears of it, too
      (error: unknown) => this.#failFor(error),
    );
  }

  #idle(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.retire(), idleMs);
    this.#timer.unref();
    this.#events.onIdle();
  }

  /** Ends the process, when it has nothing to do. */
  retire(): void {
    if (this.#working > 0) return;
    clearTimeout(this.#timer);
    // what comes while it ends is another one's work
    this.#events.onEnd();
    this.#stream.then(
      (stream) => stream.end(),
      () => undefined,
    );
  }

  close(): void {
    this.#stream.then(
      (stream) => stream.destroy(),
      () => undefined,
    );
  }
}

/**
 * A pool of processes, one a (uid, gid); `connect` starts one and gives its stream. Those that rest take memory: only the
 * last few of them stay.
 */
export function createProcessPool(
  connect: (uid: number, gid: number) => Promise<Duplex>,
  watchdog: Watchdog = patience,
): DelivererPool {
  const processes = new Map<string, Process>();
  /** The one that has rested longest first. */
  const resting = new Set<Process>();

  function open(key: string, uid: number, gid: number): Process {
    const events: ProcessEvents = {
      onIdle: () => {
        if (processes.get(key) !== opened) return;
        resting.add(opened);
        const [first] = resting;
        if (resting.size > mostResting) first?.retire();
      },
      onEnd: () => {
        resting.delete(opened);
        if (processes.get(key) === opened) processes.delete(key);
      },
    };
    const opened: Process = new Process(connect(uid, gid), events, watchdog);
    processes.set(key, opened);
    return opened;
  }

  return {
    run(uid, gid, request, copy) {
      const key = `${uid}:${gid}`;
      const process = processes.get(key) ?? open(key, uid, gid);
      resting.delete(process);
      return process.run(request, copy);
    },
    close() {
      for (const process of processes.values()) process.close();
    },
  };
}
