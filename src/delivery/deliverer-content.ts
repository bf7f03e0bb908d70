/**
 * Content on its way to a deliverer, piece by piece: the first one comes with the request, each further one when the
 * deliverer asks for it. So neither side holds more than two pieces, and a slow mailbox holds up nobody else.
 */
import { type MaybePromise, whenReady } from '#message';

const nothing = Buffer.alloc(0);

/** Short enough for the strings that are made of them to be collected young. */
export const pieceBytes = 64 * 1024;

export function* slices(chunk: Buffer): Generator<Buffer> {
  for (let at = 0; at < chunk.length; at += pieceBytes) yield chunk.subarray(at, at + pieceBytes);
}

function* slicesOf(chunks: Iterable<Buffer>): Generator<Buffer> {
  for (const chunk of chunks) yield* slices(chunk);
}

async function* slicesAsTheyCome(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) yield* slices(chunk);
}

export interface Piece {
  readonly bytes: Buffer;
  readonly hasMore: boolean;
}

/** The sending side. */
export class PieceSource {
  readonly #pieces: Generator<Buffer> | AsyncGenerator<Buffer>;
  #ahead: IteratorResult<Buffer, unknown> | undefined;

  constructor(content: Iterable<Buffer> | AsyncIterable<Buffer>) {
    this.#pieces = Symbol.iterator in content ? slicesOf(content) : slicesAsTheyCome(content);
  }

  /** Throws or rejects when the content can't be read. */
  take(): MaybePromise<Piece> {
    return whenReady(this.#ahead ?? this.#pieces.next(), (current): MaybePromise<Piece> => {
      if (current.done === true) return { bytes: nothing, hasMore: false };
      return whenReady(this.#pieces.next(), (ahead) => {
        this.#ahead = ahead;
        return { bytes: current.value, hasMore: ahead.done !== true };
      });
    });
  }

  async close(): Promise<void> {
    await this.#pieces.return(undefined);
  }
}

const brokenOff = (): Error => new Error('the content could not be read');

/** The receiving side. */
export class PieceSink implements AsyncIterable<Buffer> {
  readonly #ask: () => void;
  #last: Piece;
  #isBroken = false;
  #wait: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;

  constructor(first: Piece, ask: () => void) {
    this.#last = first;
    this.#ask = ask;
  }

  take(piece: Piece): void {
    this.#last = piece;
    this.#wait?.resolve();
  }

  /** Nothing more comes. */
  fail(): void {
    this.#isBroken = true;
    this.#wait?.reject(brokenOff());
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    if (this.#isBroken) throw brokenOff();
    if (this.#last.bytes.length > 0) yield this.#last.bytes;
    while (this.#last.hasMore) {
      if (this.#isBroken) throw brokenOff();
      const next = new Promise<void>((resolve, reject) => {
        this.#wait = { resolve, reject };
      });
      this.#ask();
      await next;
      yield this.#last.bytes;
    }
  }
}
