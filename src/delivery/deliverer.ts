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
import { runRequest } from './deliverer-work.ts';

export interface DelivererPool {
  /** Content: what is to be written. Rejects when it can't be read. */
  run(uid: number, gid: number, request: DelivererRequest, content?: AsyncIterable<Buffer>): Promise<DelivererResult>;
  close(): void;
}

/** A pool that writes in this process: only the own uid is possible. */
export function createLocalPool(uid: number): DelivererPool {
  return {
    run: (wanted, _gid, request, content = noContent()) =>
      wanted === uid
        ? runRequest(request, content)
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

/** A process that runs as a receiving user. */
class Process {
  readonly #stream: Promise<Duplex>;
  readonly #writer: Promise<FrameWriter>;
  readonly #open = new Roster<number, Open>();
  readonly #onEnd: () => void;
  #nextId = 0;
  #working = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(connected: Promise<Duplex>, onEnd: () => void) {
    this.#onEnd = onEnd;
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
    this.#onEnd();
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
      this.#restartTimer();
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

  #restartTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#working > 0) return;
      // what comes while it ends is another one's work
      this.#onEnd();
      this.#stream.then(
        (stream) => stream.end(),
        () => undefined,
      );
    }, idleMs);
    this.#timer.unref();
  }

  close(): void {
    this.#stream.then(
      (stream) => stream.destroy(),
      () => undefined,
    );
  }
}

/** A pool of processes, one a (uid, gid); `connect` starts one and gives its stream. */
export function createProcessPool(connect: (uid: number, gid: number) => Promise<Duplex>): DelivererPool {
  const processes = new Map<string, Process>();
  return {
    run(uid, gid, request, content) {
      const key = `${uid}:${gid}`;
      let process = processes.get(key);
      if (process === undefined) {
        const opened = new Process(connect(uid, gid), () => {
          if (processes.get(key) === opened) processes.delete(key);
        });
        processes.set(key, opened);
        process = opened;
      }
      return process.run(request, content);
    },
    close() {
      for (const process of processes.values()) process.close();
    },
  };
}
