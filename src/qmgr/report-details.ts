/** What reports speak of: the recipients of an attempt, or the addresses that they were expanded to. bounce(8), RFC 3461 */
import type { Notify, Outcome, Recipient } from '#message';

export interface NotifiedRecipient {
  readonly recipient: Recipient;
  readonly outcome: Outcome;
}

/** A few at a time, so that many need not be in memory at once; each time anew. Of many, others have their turn between. */
export type NotifiedParts = Iterable<readonly NotifiedRecipient[]> | AsyncIterable<readonly NotifiedRecipient[]>;

/** An address that a report speaks of, and who hears of its failure. */
export interface Detail extends NotifiedRecipient {
  readonly sender: string;
  /** The recipient that it belongs to stays in the queue. */
  readonly stays: boolean;
  /** Who hears of its failure has been told. */
  readonly isTold: boolean;
}

/** Members of a list are its owner's affair: the sender's recipient is not told of. RFC 3461, 5.2.7.3 */
const anonymous: Pick<Recipient, 'original' | 'dsnOriginal'> = { original: '', dsnOriginal: '' };

/** A recipient that was expanded counts as the addresses that came of it. */
export function detailsOf(
  entries: readonly NotifiedRecipient[],
  sender: string,
  staysInQueue: (outcome: Outcome) => boolean,
): readonly Detail[] {
  return entries.flatMap(({ recipient, outcome }) => {
    const { index, members } = outcome;
    const stays = staysInQueue(outcome);
    if (members === undefined) return [{ recipient, outcome, sender, stays, isTold: false }];
    return members.map(({ address, original = recipient.original, sender: owner, isTold = false, ...rest }) => ({
      recipient: { ...recipient, address, original, ...(owner === sender ? {} : anonymous) },
      outcome: { index, ...rest },
      sender: owner,
      stays,
      isTold,
    }));
  });
}

export function withSuccess({ recipient, outcome }: NotifiedRecipient): NotifiedRecipient {
  const { notify } = recipient;
  if (notify.length > 0 && !notify.includes('delay')) return { recipient, outcome };
  const asked: readonly Notify[] = notify.length === 0 ? ['success', 'failure', 'delay'] : [...notify, 'success'];
  return { recipient: { ...recipient, notify: asked }, outcome };
}

/**
 * `sendmail -v` wants to hear of every address, NOTIFY=SUCCESS of the delivered ones and of an alias as a whole; a next
 * server that knows DSN (no action) tells the sender itself. RFC 3461, 5.2.7
 */
export function successesAskedFor(details: readonly Detail[]): readonly Detail[] {
  const expanded = new Set(
    details.filter(({ outcome }) => outcome.action === 'expanded').map(({ outcome }) => outcome.index),
  );
  return details.filter(({ outcome, recipient }) => {
    const { kind, action, index } = outcome;
    if (kind !== 'sent' || action === undefined || !recipient.notify.includes('success')) return false;
    return action === 'expanded' || !expanded.has(index);
  });
}

export function hasBounced({ outcome: { kind }, isTold }: Detail): boolean {
  return kind === 'bounced' && !isTold;
}

/** What is deferred and does not stay. */
export function hasExpired({ outcome: { kind }, stays }: Detail): boolean {
  return kind === 'deferred' && !stays;
}
