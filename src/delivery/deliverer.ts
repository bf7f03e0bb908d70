/**
 * Acting as a receiving user: requests to a process that runs as that user, or to this one where it is that user.
 */
import type { Duplex } from 'node:stream';
import {
  type DelivererRequest,
  type DelivererResult,
  failedResult,
  frame,
  FrameReader,
  isNumbered,
  parseRequest,
  parseResult,
} from './deliverer-protocol.ts';
import { runRequest } from './deliverer-work.ts';

export interface DelivererPool {
  /** Content: what is to be written, with LF line ends. */
  run(uid: number, gid: number, request: DelivererRequest, content: Buffer): Promise<DelivererResult>;
  close(): void;
}

/** A pool that writes in this process: only the own uid is possible. */
export function createLocalPool(uid: number): DelivererPool {
  return {
    run: (wanted, _gid, request, content) =>
      wanted === uid
        ? runRequest(request, content)
        : Promise.resolve(failedResult('4.3.0', `delivery as user ${wanted} needs the system to be started as root`)),
    close: () => undefined,
  };
}

/** The loop of the process that runs as the receiving user; ends when the stream does. */
export async function serveDeliverer(channel: Duplex): Promise<void> {
  const reader = new FrameReader();
  channel.on('data', (chunk: Buffer) => {
    for (const { json, content } of reader.push(chunk)) {
      if (!isNumbered(json)) continue;
      const request = parseRequest(json['request']);
      const { id } = json;
      const answer = (result: DelivererResult): void => {
        for (const piece of frame({ id, result }, Buffer.alloc(0))) channel.write(piece);
      };
      if (request === undefined) answer(failedResult('4.3.0', 'malformed request'));
      else void runRequest(request, Buffer.from(content)).then(answer);
    }
  });
  await new Promise<void>((resolve) => channel.once('close', () => resolve()));
}

interface Process {
  readonly stream: Promise<Duplex>;
  readonly waiting: Map<number, (result: DelivererResult) => void>;
  timer: NodeJS.Timeout | undefined;
}

const idleMs = 30_000;

/** A pool of processes, one a (uid, gid); `connect` starts one and gives its stream. */
export function createProcessPool(connect: (uid: number, gid: number) => Promise<Duplex>): DelivererPool {
  const processes = new Map<string, Process>();
  let nextId = 0;

  function open(uid: number, gid: number): Process {
    const key = `${uid}:${gid}`;
    const known = processes.get(key);
    if (known !== undefined) return known;
    const waiting = new Map<number, (result: DelivererResult) => void>();
    const fail = (reason: string): void => {
      processes.delete(key);
      for (const answer of waiting.values()) answer(failedResult('4.3.0', reason));
      waiting.clear();
    };
    const stream = connect(uid, gid).then((duplex) => {
      const reader = new FrameReader();
      duplex.on('data', (chunk: Buffer) => {
        for (const { json } of reader.push(chunk)) {
          if (!isNumbered(json)) continue;
          waiting.get(json.id)?.(parseResult(json['result']));
          waiting.delete(json.id);
        }
      });
      duplex.on('error', () => duplex.destroy());
      duplex.on('close', () => fail('the delivery process ended'));
      return duplex;
    });
    stream.catch((error: unknown) => fail(error instanceof Error ? error.message : String(error)));
    const opened: Process = { stream, waiting, timer: undefined };
    processes.set(key, opened);
    return opened;
  }

  function rest(process: Process): void {
    clearTimeout(process.timer);
    process.timer = setTimeout(() => {
      if (process.waiting.size === 0) void process.stream.then((stream) => stream.end());
    }, idleMs);
    process.timer.unref();
  }

  return {
    async run(uid, gid, request, content) {
      const process = open(uid, gid);
      nextId += 1;
      const id = nextId;
      const result = new Promise<DelivererResult>((resolve) => process.waiting.set(id, resolve));
      try {
        const stream = await process.stream;
        // one system call for head and content
        stream.cork();
        for (const piece of frame({ id, request }, content)) stream.write(piece);
        stream.uncork();
      } catch (error) {
        process.waiting.delete(id);
        return failedResult('4.3.0', error instanceof Error ? error.message : String(error));
      }
      const answer = await result;
      rest(process);
      return answer;
    },
    close() {
      for (const process of processes.values())
        void process.stream.then(
          (stream) => stream.destroy(),
          () => undefined,
        );
    },
  };
}
