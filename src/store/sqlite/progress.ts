/**
 * What is known of the recipients of one part of a large message: a bit for each that is done, and the outcomes that
 * somebody will ask for: why a recipient waits, or what a report is to say of one that is done.
 *
 * All functions are pure; the writer thread keeps what they give in a row beside the recipients, which never change.
 */
import type { Outcome } from '#message';

export interface Progress {
  /** Bit `place % 8` of byte `place / 8` for the recipient in that place of the part. */
  readonly done: Uint8Array;
  readonly outcomes: readonly Outcome[];
}

/** What has become known of recipients of a part. */
export interface PartChange {
  readonly part: number;
  readonly outcomes: readonly Outcome[];
  /** Indexes of recipients that are done and of which nobody asks. */
  readonly done: readonly number[];
}

/** As they stand in a row; '' where there are none. */
export function outcomesText(outcomes: readonly Outcome[]): string {
  return outcomes.length === 0 ? '' : JSON.stringify(outcomes);
}

export function outcomesOf(text: string): readonly Outcome[] {
  return text === '' ? [] : JSON.parse(text);
}

export function isDone(done: Uint8Array, place: number): boolean {
  return ((done[place >> 3] ?? 0) & (1 << (place & 7))) !== 0;
}

function markDone(done: Uint8Array, place: number): void {
  done[place >> 3] = (done[place >> 3] ?? 0) | (1 << (place & 7));
}

export function doneCount(done: Uint8Array): number {
  let count = 0;
  for (const byte of done) for (let rest = byte; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}

/** The changes to each part, given what became known of recipients of the message. */
export function changesByPart(
  outcomes: readonly Outcome[],
  done: readonly number[],
  partSize: number,
): readonly PartChange[] {
  const changes = new Map<number, { part: number; outcomes: Outcome[]; done: number[] }>();
  const changeOf = (index: number): { outcomes: Outcome[]; done: number[] } => {
    const part = Math.floor(index / partSize);
    const known = changes.get(part) ?? { part, outcomes: [], done: [] };
    changes.set(part, known);
    return known;
  };
  for (const outcome of outcomes) changeOf(outcome.index).outcomes.push(outcome);
  for (const index of done) changeOf(index).done.push(index);
  return [...changes.values()];
}

/** What is known after a change. A recipient that is done stays so, whatever comes late. */
export function advance(before: Progress | undefined, change: Omit<PartChange, 'part'>, partSize: number): Progress {
  const done = Uint8Array.from(before?.done ?? new Uint8Array(Math.ceil(partSize / 8)));
  const kept = new Map(before?.outcomes.map((outcome) => [outcome.index, outcome]));
  for (const outcome of change.outcomes) {
    const place = outcome.index % partSize;
    if (isDone(done, place)) continue;
    // what was deferred and then done stands where the others that were done then do
    kept.delete(outcome.index);
    kept.set(outcome.index, outcome);
    if (outcome.kind !== 'deferred') markDone(done, place);
  }
  for (const index of change.done) {
    kept.delete(index);
    markDone(done, index % partSize);
  }
  return { done, outcomes: [...kept.values()] };
}
