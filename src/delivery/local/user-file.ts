/** A .forward or `:include:` file that is read on while its members get their mail. */
import {
  asFile,
  type DelivererRequest,
  type DelivererResult,
  type FileFacts,
  type ReadResult,
} from '../deliverer-protocol.ts';
import { LineCutter } from './line-cutter.ts';

/** Asks whoever reads the file. */
export type AskReader = (request: DelivererRequest) => Promise<DelivererResult>;

/** What could not be opened. `path`: '' where nobody could look. */
export type Unopened = Exclude<ReadResult, { kind: 'file' }>;

type Piece = Extract<ReadResult, { kind: 'file' }>;

/** The first of some files that exists. */
export async function openUserFile(
  ask: AskReader,
  paths: readonly string[],
  followsLinks: boolean,
): Promise<UserFile | Unopened> {
  const first = asFile(await ask({ kind: 'read', paths, followsLinks }));
  if (first.kind !== 'file') return first;
  // no other file's name may stand for one of these
  if (!paths.includes(first.path)) return { kind: 'unreadable', path: '', reason: 'the deliverer answered nonsense' };
  return new UserFile(ask, first, followsLinks);
}

type Lines =
  | { readonly kind: 'lines'; readonly lines: Iterable<string> }
  /** Another piece has come: others may have their turn first. */
  | { readonly kind: 'further' }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** A file that has been opened: the first piece of it is there. */
export class UserFile {
  readonly path: string;
  readonly facts: FileFacts;
  readonly #ask: AskReader;
  readonly #followsLinks: boolean;
  #piece: Piece;

  constructor(ask: AskReader, first: Piece, followsLinks: boolean) {
    this.path = first.path;
    this.facts = first.facts;
    this.#ask = ask;
    this.#followsLinks = followsLinks;
    this.#piece = first;
  }

  /** Its lines, as they come; none is longer than `limit` bytes. */
  async *lines(limit: number): AsyncGenerator<Lines> {
    const cutter = new LineCutter(limit);
    for (;;) {
      const { bytes, more } = this.#piece;
      yield { kind: 'lines', lines: cutter.lines(Buffer.from(bytes, 'latin1')) };
      if (more === undefined) return yield { kind: 'lines', lines: cutter.last() };
      const { path } = this;
      const next = asFile(
        await this.#ask({ kind: 'read', paths: [path], followsLinks: this.#followsLinks, next: more }),
      );
      if (next.kind !== 'file') {
        const reason = next.kind === 'missing' ? 'No such file or directory' : next.reason;
        return yield { kind: 'unreadable', reason };
      }
      this.#piece = next;
      yield { kind: 'further' };
    }
  }
}
