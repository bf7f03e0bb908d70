/**
 * How a deliverer's requests and answers travel: 4 bytes length, 4 bytes content length, JSON, content. A deliverer has
 * the rights of a user, who may have taken it over: what comes from it is bounded and checked.
 */
import type { Duplex } from 'node:stream';
import { pieceBytes } from './deliverer-content.ts';

export interface Frame {
  readonly json: unknown;
  readonly content: Buffer;
}

/** How long the parts of a frame may be, in bytes. */
export interface FrameLimits {
  readonly json: number;
  readonly content: number;
}

/** Answers: the longest one holds a piece of a file, each byte of it written as `\u0000`. */
export const answerLimits: FrameLimits = { json: 1024 * 1024, content: 0 };
/** Requests: the longest one is a command with the 2 MB of arguments and environment that the system takes. */
export const requestLimits: FrameLimits = { json: 16 * 1024 * 1024, content: pieceBytes };

const headBytes = 8;
const nothing: Buffer = Buffer.alloc(0);

/** Writes frames; those of one turn of the event loop in one system call. */
export class FrameWriter {
  readonly #stream: Duplex;
  #isCorked = false;

  constructor(stream: Duplex) {
    this.#stream = stream;
  }

  send(json: unknown, content: Buffer = nothing): void {
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#stream.cork();
      setImmediate(() => {
        this.#isCorked = false;
        this.#stream.uncork();
      });
    }
    const text = JSON.stringify(json);
    const length = Buffer.byteLength(text);
    const head = Buffer.allocUnsafe(headBytes + length);
    head.writeUInt32BE(length, 0);
    head.writeUInt32BE(content.length, 4);
    head.write(text, headBytes);
    this.#stream.write(head);
    if (content.length > 0) this.#stream.write(content);
  }
}

/** Bytes of the frame that begins with this head; undefined for one that nobody needs. */
function sizeOf(head: Buffer, limits: FrameLimits): number | undefined {
  const [json, content] = [head.readUInt32BE(0), head.readUInt32BE(4)];
  return json <= limits.json && content <= limits.content ? headBytes + json + content : undefined;
}

/** Undefined when there is no JSON in it. */
function frameOf(whole: Buffer): Frame | undefined {
  const jsonEnd = headBytes + whole.readUInt32BE(0);
  try {
    const json: unknown = JSON.parse(whole.toString('utf8', headBytes, jsonEnd));
    return { json, content: whole.subarray(jsonEnd) };
  } catch {
    // who reads ends the stream, which tells enough
    return undefined;
  }
}

/** Cuts a stream into frames. */
export class FrameReader {
  readonly #limits: FrameLimits;
  /** The beginning of a frame: less than its head, or room for all of it. So many small chunks cost no more than a large one. */
  #begun = nothing;
  #filled = 0;

  constructor(limits: FrameLimits) {
    this.#limits = limits;
  }

  /** The frames that are whole now. Undefined: what came is none or too long, and the stream is of no use any more. */
  push(chunk: Buffer): readonly Frame[] | undefined {
    const frames: Frame[] = [];
    let rest = chunk;
    if (this.#filled >= headBytes) {
      const copied = chunk.copy(this.#begun, this.#filled);
      this.#filled += copied;
      if (this.#filled < this.#begun.length) return frames;
      const frame = frameOf(this.#begun);
      if (frame === undefined) return undefined;
      frames.push(frame);
      rest = chunk.subarray(copied);
    } else if (this.#filled > 0) rest = Buffer.concat([this.#begun, chunk]);
    while (rest.length >= headBytes) {
      const size = sizeOf(rest, this.#limits);
      if (size === undefined) return undefined;
      if (rest.length < size) return this.#keep(rest, size, frames);
      const frame = frameOf(rest.subarray(0, size));
      if (frame === undefined) return undefined;
      frames.push(frame);
      rest = rest.subarray(size);
    }
    return this.#keep(rest, rest.length, frames);
  }

  #keep(rest: Buffer, size: number, frames: readonly Frame[]): readonly Frame[] {
    this.#begun = Buffer.allocUnsafe(size);
    this.#filled = rest.copy(this.#begun);
    return frames;
  }
}
