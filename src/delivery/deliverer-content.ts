/**
 * Content on its way to a deliverer, piece by piece: the first one comes with the request, each further one when the
 * deliverer asks for it. So neither side holds more than two pieces, and a slow mailbox holds up nobody else.
 */

const nothing = Buffer.alloc(0);

export async function* noContent(): AsyncGenerator<Buffer> {
  // a request without content
}

export interface Piece {
  readonly bytes: Buffer;
  readonly hasMore: boolean;
}

/** The sending side. */
export class PieceSource {
  readonly #pieces: AsyncIterator<Buffer> | undefined;
  #ahead: IteratorResult<Buffer, unknown> | undefined;

  constructor(content: AsyncIterable<Buffer> | undefined) {
    this.#pieces = content?.[Symbol.asyncIterator]();
  }

  /** Rejects when the content can't be read. */
  async take(): Promise<Piece> {
    if (this.#pieces === undefined) return { bytes: nothing, hasMore: false };
    const current = this.#ahead ?? (await this.#pieces.next());
    if (current.done === true) return { bytes: nothing, hasMore: false };
    this.#ahead = await this.#pieces.next();
    return { bytes: current.value, hasMore: this.#ahead.done !== true };
  }

  async close(): Promise<void> {
    await this.#pieces?.return?.();
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
