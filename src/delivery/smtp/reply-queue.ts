/** Replies of a server that have come and that nobody has asked for yet, or the one who waits for the next. RFC 2920 */
import { type Reply, ReplyReader, type ReplyReaderOptions } from './reply.ts';

/** What came instead of, or as, a reply. */
export type Heard =
  | { readonly kind: 'reply'; readonly reply: Reply }
  | { readonly kind: 'lost' }
  | { readonly kind: 'timeout' }
  /** A reply of which a table that can't be read should have said what it means. */
  | { readonly kind: 'unjudged' }
  | { readonly kind: 'garbage'; readonly line: string };

export interface ReplyQueueOptions extends Omit<ReplyReaderOptions, 'filter'> {
  /** smtp_reply_filter. Undefined from it: the table can't be read. */
  readonly filter: ((line: string) => string | undefined) | undefined;
  /** smtp_reply_filter has replaced a line. */
  readonly onReplaced: (line: string, by: string) => void;
  /** The server said 421: it is about to close the connection. */
  readonly onClosing: () => void;
  /** More replies came than anybody can have asked for. */
  readonly onFlood: () => void;
}

/** More than an honest server says of its own accord. */
const maxUnasked = 5000;

export class ReplyQueue {
  /** Nothing more will come. */
  isLost = false;
  readonly #options: ReplyQueueOptions;
  readonly #reader: ReplyReader;
  readonly #heard: Heard[] = [];
  #expected = 0;
  #waiter: ((heard: Heard) => void) | undefined;
  /** Of the wait that is under way. */
  #timer: NodeJS.Timeout | undefined;
  #isUnjudged = false;

  constructor(options: ReplyQueueOptions) {
    const { filter } = options;
    this.#options = options;
    this.#reader = new ReplyReader({
      ...options,
      filter: filter === undefined ? undefined : (line) => this.#filtered(line, filter(line)),
    });
  }

  #filtered(line: string, by: string | undefined): string {
    if (by === undefined) this.#isUnjudged = true;
    else if (by !== line) this.#options.onReplaced(line, by);
    return by ?? line;
  }

  /** So many commands have been said. */
  expect(count: number): void {
    this.#expected += count;
  }

  /** Something was said that nobody has heard yet. */
  get hasMore(): boolean {
    return this.#heard.length > 0;
  }

  feed(chunk: Buffer): void {
    this.#reader.feed(chunk, (event) => this.#push(event));
  }

  #push(given: Heard): void {
    const heard: Heard = this.#isUnjudged ? { kind: 'unjudged' } : given;
    if (heard.kind === 'reply' && heard.reply.code === 421) this.#options.onClosing();
    if (this.#heard.length > this.#expected + maxUnasked) this.#options.onFlood();
    else this.#heard.push(heard);
  }

  /** What was not asked for is dropped, and so is a reply that has begun. */
  forget(): void {
    this.#heard.length = 0;
    this.#reader.reset();
  }

  /** The timeout of a wait that is under way begins anew. */
  prolong(): void {
    this.#timer?.refresh();
  }

  /** Gives who waits what there is to hear. */
  readonly tell = (): void => {
    const waiter = this.#waiter;
    const heard = waiter === undefined ? undefined : this.#take();
    if (heard !== undefined) waiter?.(heard);
  };

  /** What there is to hear; undefined while nothing is. */
  #take(): Heard | undefined {
    return this.#heard.shift() ?? (this.isLost ? { kind: 'lost' } : undefined);
  }

  /** The next reply, or what came of waiting for it. After a loss replies that came before are still given. */
  next(timeoutMs: number): Promise<Heard> | Heard {
    const ready = this.#take();
    if (ready !== undefined) return ready;
    const { promise, resolve } = Promise.withResolvers<Heard>();
    this.#timer = setTimeout(() => this.#waiter?.(this.#take() ?? { kind: 'timeout' }), timeoutMs);
    this.#waiter = (heard) => {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#waiter = undefined;
      resolve(heard);
    };
    return promise;
  }
}
