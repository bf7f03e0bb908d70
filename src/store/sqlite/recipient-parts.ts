/**
 * Recipients of a large message. They are kept as content is: in parts with keys of their own, written as they come in
 * and never changed. What becomes of them stands beside each part (`progress.ts`), so that an outcome rewrites little.
 */
import type { Recipient } from '#message';
import { thrownText } from '#native';
import type { RecipientList, RecipientPart } from '../recipient-list.ts';
import { StoreError } from '../queue-store.ts';
import { contentChecksum } from './checksums.ts';
import { doneCount, isDone, outcomesOf } from './progress.ts';
import type { ProgressRow, Reader } from './reader.ts';
import { firstRecipientPart } from './schema.ts';

/** More recipients than that stand in parts of that many; fewer in the row of their message. */
export const partSize = 500;

const mismatch = 'recipients are damaged: checksum mismatch';

/** What the row of a message says in place of the recipients. */
export interface PartsOverview {
  readonly total: number;
  readonly partSize: number;
}

/** Tells the owner of the message that it can't be delivered any more. */
export type OnDamage = (reason: string, error?: unknown) => void;

export class PartedRecipients implements RecipientList {
  readonly total: number;
  readonly partSize: number;
  readonly pendingCount: number;
  readonly isInParts = true;
  readonly #reader: Reader;
  readonly #serial: number;
  readonly #onDamage: OnDamage;

  /** Throws StoreError when it can't be told what is done. */
  constructor(reader: Reader, serial: number, overview: PartsOverview, onDamage: OnDamage) {
    this.#reader = reader;
    this.#serial = serial;
    this.#onDamage = onDamage;
    this.total = overview.total;
    this.partSize = overview.partSize;
    let done = 0;
    for (const row of reader.progressOf(serial)) {
      if (contentChecksum(row.done) !== row.crc) throw new StoreError(mismatch);
      done += doneCount(row.done);
    }
    this.pendingCount = Math.max(0, this.total - done);
  }

  get heldCount(): number {
    return this.partSize;
  }

  all(): Iterable<RecipientPart> {
    return this.#parts(() => true);
  }

  withPending(): Iterable<RecipientPart> {
    return this.#parts((progress, size) => progress === undefined || doneCount(progress.done) < size);
  }

  *withOutcomes(): Iterable<RecipientPart> {
    for (let part = -1; ;) {
      const after = part;
      const next = this.#try(() => this.#reader.partWithOutcomes(this.#serial, after));
      if (next === undefined) return;
      part = next;
      yield this.#read(part);
    }
  }

  *#parts(isWanted: (progress: ProgressRow | undefined, size: number) => boolean): Iterable<RecipientPart> {
    for (let part = 0; part * this.partSize < this.total; part += 1) {
      const size = Math.min(this.partSize, this.total - part * this.partSize);
      if (isWanted(this.#progress(part), size)) yield this.#read(part);
    }
  }

  #progress(part: number): ProgressRow | undefined {
    const row = this.#try(() => this.#reader.progress(this.#serial, part));
    if (row !== undefined && contentChecksum(row.done) !== row.crc) throw this.#damaged(mismatch);
    return row;
  }

  #read(part: number): RecipientPart {
    const row = this.#try(() => this.#reader.part(this.#serial, firstRecipientPart + part));
    if (row === undefined) {
      const isDeleted = this.#try(() => this.#reader.row(this.#serial)) === undefined;
      throw isDeleted ? new StoreError('the message was deleted') : this.#damaged('recipients are missing');
    }
    if (contentChecksum(row.data) !== row.crc) throw this.#damaged(mismatch);
    const progress = this.#progress(part);
    const recipients: readonly Recipient[] = JSON.parse(Buffer.from(row.data).toString());
    const outcomes = outcomesOf(progress?.outcomes ?? '');
    const byIndex = new Map(outcomes.map((outcome) => [outcome.index, outcome]));
    return recipients.map(({ address, original, dsnOriginal, notify }, place) => {
      const index = part * this.partSize + place;
      const state = progress !== undefined && isDone(progress.done, place) ? 'done' : 'pending';
      const plain = { address, original, dsnOriginal, notify, index, state } as const;
      const lastOutcome = byIndex.get(index);
      return lastOutcome === undefined ? plain : { ...plain, lastOutcome };
    });
  }

  #try<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw this.#damaged(`recipients are damaged: ${thrownText(error)}`, error);
    }
  }

  #damaged(reason: string, cause?: unknown): StoreError {
    this.#onDamage(reason, cause);
    return new StoreError(reason);
  }
}
