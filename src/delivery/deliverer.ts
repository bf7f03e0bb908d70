/**
 * Writing mailboxes as their owner: requests to a process that runs as the receiving user, or to this one where it is
 * that user. Frames on the stream: 4 bytes length, 4 bytes content length, JSON, content.
 */
import type { Duplex } from 'node:stream';
import { appendMbox, writeMaildir } from './mailbox.ts';

/** What a deliverer is asked to do. Paths are absolute. */
export type DelivererRequest =
  | { readonly kind: 'maildir'; readonly path: string; readonly hostname: string }
  | { readonly kind: 'mbox'; readonly path: string; readonly locks: readonly string[]; readonly sizeLimit: number };

export type DelivererResult =
  | { readonly kind: 'ok' }
  /** `code`: the status it means (RFC 3463); `reason`: text for the log. */
  | { readonly kind: 'failed'; readonly code: string; readonly reason: string };

export interface DelivererPool {
  /** Content: what is to be written, with LF line ends. */
  run(uid: number, gid: number, request: DelivererRequest, content: Buffer): Promise<DelivererResult>;
  close(): void;
}

/** Runs a request in this process. */
export async function runRequest(request: DelivererRequest, content: Buffer): Promise<DelivererResult> {
  try {
    if (request.kind === 'maildir') await writeMaildir(request.path, request.hostname, content);
    else await appendMbox(request.path, request.locks, request.sizeLimit, content);
    return { kind: 'ok' };
  } catch (error) {
    return failureOf(error, request.path);
  }
}

const permanent: Readonly<Record<string, string>> = { EISDIR: '5.2.0', ENOTDIR: '5.2.0', EFBIG: '5.2.2' };
const temporary: Readonly<Record<string, string>> = { EDQUOT: '4.2.2', ENOSPC: '4.3.1' };
const texts: Readonly<Record<string, string>> = {
  ENOENT: 'No such file or directory',
  EACCES: 'Permission denied',
  ENOSPC: 'No space left on device',
  EISDIR: 'Is a directory',
  ENOTDIR: 'Not a directory',
  EDQUOT: 'Disk quota exceeded',
  EROFS: 'Read-only file system',
};

function failureOf(error: unknown, path: string): DelivererResult {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reason = texts[code] ?? (error instanceof Error ? error.message : String(error));
  return { kind: 'failed', code: permanent[code] ?? temporary[code] ?? '4.2.0', reason: `${path}: ${reason}` };
}

/** A pool that writes in this process: only the own uid is possible. */
export function createLocalPool(uid: number): DelivererPool {
  return {
    run: (wanted, _gid, request, content) =>
      wanted === uid
        ? runRequest(request, content)
        : Promise.resolve({
            kind: 'failed',
            code: '4.3.0',
            reason: `delivery as user ${wanted} needs the system to be started as root`,
          }),
    close: () => undefined,
  };
}

const headBytes = 8;

function frame(json: unknown, content: Buffer): readonly Buffer[] {
  const text = Buffer.from(JSON.stringify(json));
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE(text.length, 0);
  head.writeUInt32BE(content.length, 4);
  return content.length === 0 ? [Buffer.concat([head, text])] : [Buffer.concat([head, text]), content];
}

/** Cuts a stream into frames. */
class FrameReader {
  #chunks: Buffer[] = [];
  #length = 0;

  push(chunk: Buffer): readonly { readonly json: unknown; readonly content: Buffer }[] {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    const out: { json: unknown; content: Buffer }[] = [];
    for (;;) {
      if (this.#length < headBytes) return out;
      const all = this.#chunks.length === 1 ? (this.#chunks[0] ?? chunk) : Buffer.concat(this.#chunks);
      this.#chunks = [all];
      const jsonLength = all.readUInt32BE(0);
      const end = headBytes + jsonLength + all.readUInt32BE(4);
      if (all.length < end) return out;
      const json: unknown = JSON.parse(all.toString('utf8', headBytes, headBytes + jsonLength));
      out.push({ json, content: all.subarray(headBytes + jsonLength, end) });
      this.#chunks = all.length === end ? [] : [all.subarray(end)];
      this.#length = all.length - end;
    }
  }
}

interface Numbered {
  readonly id: number;
}

function isNumbered(value: unknown): value is Numbered & Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'number';
}

function parseRequest(value: unknown): DelivererRequest | undefined {
  if (
    typeof value !== 'object' ||
    value === null ||
    !('kind' in value) ||
    !('path' in value) ||
    typeof value.path !== 'string'
  )
    return undefined;
  const { kind, path } = value;
  if (kind === 'maildir' && 'hostname' in value && typeof value.hostname === 'string')
    return { kind, path, hostname: value.hostname };
  if (
    kind === 'mbox' &&
    'locks' in value &&
    Array.isArray(value.locks) &&
    'sizeLimit' in value &&
    typeof value.sizeLimit === 'number'
  ) {
    return { kind, path, locks: value.locks.map(String), sizeLimit: value.sizeLimit };
  }
  return undefined;
}

function parseResult(value: unknown): DelivererResult {
  if (typeof value === 'object' && value !== null && 'kind' in value) {
    if (value.kind === 'ok') return { kind: 'ok' };
    if ('code' in value && 'reason' in value)
      return { kind: 'failed', code: String(value.code), reason: String(value.reason) };
  }
  return { kind: 'failed', code: '4.3.0', reason: 'the deliverer answered nonsense' };
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
      if (request === undefined) answer({ kind: 'failed', code: '4.3.0', reason: 'malformed request' });
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
      for (const answer of waiting.values()) answer({ kind: 'failed', code: '4.3.0', reason });
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
        for (const piece of frame({ id, request }, content)) stream.write(piece);
      } catch (error) {
        process.waiting.delete(id);
        return { kind: 'failed', code: '4.3.0', reason: error instanceof Error ? error.message : String(error) };
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
