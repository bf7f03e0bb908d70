/** How a deliverer's requests and answers travel: 4 bytes length, 4 bytes content length, JSON, content. */
import type { Duplex } from 'node:stream';

export interface Frame {
  readonly json: unknown;
  readonly content: Buffer;
}

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

/** Cuts a stream into frames. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #length = 0;

  push(chunk: Buffer): readonly Frame[] {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    const out: Frame[] = [];
    for (;;) {
      if (this.#length < headBytes || this.#length < this.#wanted()) return out;
      const all = this.#chunks.length === 1 ? (this.#chunks[0] ?? chunk) : Buffer.concat(this.#chunks);
      const jsonLength = all.readUInt32BE(0);
      const end = headBytes + jsonLength + all.readUInt32BE(4);
      const json: unknown = JSON.parse(all.toString('utf8', headBytes, headBytes + jsonLength));
      out.push({ json, content: all.subarray(headBytes + jsonLength, end) });
      this.#chunks = all.length === end ? [] : [all.subarray(end)];
      this.#length = all.length - end;
    }
  }

  /** Bytes of the first frame, once its head is there. */
  #wanted(): number {
    const [first] = this.#chunks;
    if (first === undefined) return headBytes;
    const head = first.length >= headBytes ? first : Buffer.concat(this.#chunks);
    if (head !== first) this.#chunks = [head];
    return headBytes + head.readUInt32BE(0) + head.readUInt32BE(4);
  }
}
