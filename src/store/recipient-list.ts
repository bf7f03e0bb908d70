/**
 * The recipients of a stored message, read a part at a time: of a message of many, only the parts that are worked on
 * need to be in memory. A message of few has them in one part.
 */
import type { Outcome, Recipient } from '#message';

/** A recipient as stored: what is left to do, and the last reason it waits. */
export interface StoredRecipient extends Recipient {
  /** Its place among all recipients of the message. */
  readonly index: number;
  readonly state: 'pending' | 'done';
  /** Last temporary failure, for mailq and bounces; of a done recipient what is still to be reported. */
  readonly lastOutcome?: Outcome;
  /** When that outcome came, among those of the message: the first has the least. */
  readonly outcomeRank?: number;
}

export type RecipientPart = readonly StoredRecipient[];

/** Parts are read when they are asked for: reading throws StoreError where they are damaged. */
export interface RecipientList {
  /** All, done ones too (`nrcpt=` counts them). */
  readonly total: number;
  /** Those that were not done when the message was read. */
  readonly pendingCount: number;
  /** How many of them are in memory at most, as long as the message is. */
  readonly heldCount: number;
  /** In parts: outcomes are not kept in memory, but written and read again. */
  readonly isInParts: boolean;
  all(): Iterable<RecipientPart>;
  /** Parts with a recipient that is pending. */
  withPending(): Iterable<RecipientPart>;
  /** Parts with a recipient of which the last outcome is kept. */
  withOutcomes(): Iterable<RecipientPart>;
}

/** Recipients in memory. */
export class FewRecipients implements RecipientList {
  readonly list: RecipientPart;
  readonly isInParts = false;

  constructor(list: RecipientPart) {
    this.list = list;
  }

  get total(): number {
    return this.list.length;
  }

  get pendingCount(): number {
    let count = 0;
    for (const { state } of this.list) if (state === 'pending') count += 1;
    return count;
  }

  get heldCount(): number {
    return this.list.length;
  }

  all(): Iterable<RecipientPart> {
    return [this.list];
  }

  withPending(): Iterable<RecipientPart> {
    return [this.list];
  }

  withOutcomes(): Iterable<RecipientPart> {
    return [this.list];
  }
}

/**
 * Recipients as commands list them: those of which something is known first, in the order in which it came. `known`: what
 * the attempt under way knows so far. Of few recipients the store keeps the outcomes of those that are done, too, after all
 * has been said of them.
 */
export function listedPart(
  part: RecipientPart,
  isInParts: boolean,
  known: ReadonlyMap<number, Outcome> | undefined,
): RecipientPart {
  if (isInParts) return part;
  const ranks = ranksOf(part, known);
  const rankOf = ({ index }: StoredRecipient): number => ranks.get(index) ?? Number.MAX_SAFE_INTEGER;
  return part
    .map((recipient) => {
      const { lastOutcome: _before, outcomeRank: _rank, ...plain } = recipient;
      const outcome = known?.get(recipient.index);
      if (recipient.state === 'done') return plain;
      if (outcome === undefined) return recipient;
      return {
        ...plain,
        state: outcome.kind === 'deferred' ? ('pending' as const) : ('done' as const),
        lastOutcome: outcome,
      };
    })
    .toSorted((a, b) => rankOf(a) - rankOf(b));
}

function ranksOf(part: RecipientPart, known: ReadonlyMap<number, Outcome> = new Map()): ReadonlyMap<number, number> {
  const ranks = new Map<number, number>();
  for (const { index, outcomeRank } of part) if (outcomeRank !== undefined) ranks.set(index, outcomeRank);
  let rank = part.length;
  for (const index of known.keys()) {
    ranks.set(index, rank);
    rank += 1;
  }
  return ranks;
}
