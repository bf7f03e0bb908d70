/**
 * Acting as a receiving user: requests to a process that runs as that user, or to this one where it is that user.
 */
import type { Duplex } from 'node:stream';
import { Roster } from '#message';
import { noContent, PieceSource } from './deliverer-content.ts';
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

export interface DelivererPool {
  /** Content: what is to be written. Rejects when it can't be read. */
  run(uid: number, gid: number, request: DelivererRequest, content?: AsyncIterable<Buffer>): Promise<DelivererResult>;
  close(): void;
}

/** A pool that writes in this process: only the own uid is possible. */
export function createLocalPool(uid: number): DelivererPool {
  const work = new DelivererWork();
  return {
    run: (wanted, _gid, request, content = noContent()) =>
      wanted === uid
        ? work.run(request, content)
        : Promise.resolve(failedResult('4.3.0', `delivery as user ${wanted} needs the system to be started as root`)),
    close: () => undefined,
  };
}

/** What this side does for a request that is under way. */
interface Open {
  readonly answer: (result: DelivererResult) => void;
  readonly sendMore: () => void;
}

const idleMs = 30_000;
/** Each takes 20 MB. */
const mostResting = 20;

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
  #nextId = 0;
  #working = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(connected: Promise<Duplex>, events: ProcessEvents) {
    this.#events = events;
    this.#stream = connected;
    this.#writer = connected.then((stream) => {
      const reader = new FrameReader();
      stream.on('data', (chunk: Buffer) => {
        for (const { json } of reader.push(chunk)) this.#take(json);
      });
      stream.on('error', () => stream.destroy());
      stream.on('close', () => this.#fail('the delivery process ended'));
      return new FrameWriter(stream);
    });
    this.#writer.catch((error: unknown) => this.#failFor(error));
  }

  #fail(reason: string): void {
    this.#events.onEnd();
    for (const { answer } of this.#open.values()) answer(failedResult('4.3.0', reason));
    this.#open.clear();
  }

  #failFor(error: unknown): void {
    this.#fail(error instanceof Error ? error.message : String(error));
  }

  #take(json: unknown): void {
    if (!isNumbered(json)) return;
    const call = this.#open.get(json.id);
    if (json['want'] === true) call?.sendMore();
    else {
      this.#open.delete(json.id);
      call?.answer(parseResult(json['result']));
    }
  }

  async run(request: DelivererRequest, content: AsyncIterable<Buffer> | undefined): Promise<DelivererResult> {
    this.#working += 1;
    try {
      return await this.#run(request, content);
    } finally {
      this.#working -= 1;
      if (this.#working === 0) this.#idle();
    }
  }

  async #run(request: DelivererRequest, content: AsyncIterable<Buffer> | undefined): Promise<DelivererResult> {
    const source = new PieceSource(content);
    const first = await source.take();
    this.#nextId += 1;
    const id = this.#nextId;
    let broken: { readonly error: unknown } | undefined;
    const result = new Promise<DelivererResult>((answer) => {
      const sendMore = (): void =>
        void source.take().then(
          ({ bytes, hasMore }) => this.#send({ id, more: hasMore }, bytes),
          (error: unknown) => {
            broken = { error };
            this.#send({ id, broken: true });
          },
        );
      this.#open.set(id, { answer, sendMore });
    });
    this.#send({ id, request, more: first.hasMore }, first.bytes);
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
export function createProcessPool(connect: (uid: number, gid: number) => Promise<Duplex>): DelivererPool {
  const processes = new Map<string, Process>();
  /** The one that has rested longest first. */
  const resting = new Set<Process>();

  function open(key: string, uid: number, gid: number): Process {
    const opened: Process = new Process(connect(uid, gid), {
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
    });
    processes.set(key, opened);
    return opened;
  }

  return {
    run(uid, gid, request, content) {
      const key = `${uid}:${gid}`;
      const process = processes.get(key) ?? open(key, uid, gid);
      resting.delete(process);
      return process.run(request, content);
    },
    close() {
      for (const process of processes.values()) process.close();
    },
  };
}
