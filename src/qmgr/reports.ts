/** Which reports the end of an attempt calls for, and what they speak of. qmgr(8), bounce(8), RFC 3461 */
import type { Notify, Outcome, Recipient, Status } from '#message';
import type { QueuedMessage } from '#store';

export interface NotifiedRecipient {
  readonly recipient: Recipient;
  readonly outcome: Outcome;
}

type NotifyResult = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** The part of bounce(8) that the queue manager asks. */
export interface Bouncer {
  notify(
    kind: 'failure' | 'delay' | 'success' | 'verify',
    message: QueuedMessage,
    recipients: readonly NotifiedRecipient[],
    /** Who hears of it when that is not the sender. */
    to?: string,
  ): Promise<NotifyResult>;
}

/** An address that a report speaks of, and who hears of its failure. */
interface Detail extends NotifiedRecipient {
  readonly sender: string;
}

export interface Reported {
  /** Who was told of a delay hears that it is over. confirm_delay_cleared */
  readonly confirmsDelayCleared: boolean;
  /** Every recipient of the attempt. */
  readonly all: readonly NotifiedRecipient[];
  /** Recipients that stay in the queue. */
  readonly deferred: readonly NotifiedRecipient[];
}

/** Members of a list are its owner's affair: the sender's recipient is not told of. RFC 3461, 5.2.7.3 */
const anonymous: Pick<Recipient, 'original' | 'dsnOriginal'> = { original: '', dsnOriginal: '' };

/** A recipient that was expanded counts as the addresses that came of it. */
function detailsOf(entries: readonly NotifiedRecipient[], { envelope }: QueuedMessage): readonly Detail[] {
  return entries.flatMap(({ recipient, outcome }) => {
    const { index, members } = outcome;
    if (members === undefined) return [{ recipient, outcome, sender: envelope.sender }];
    return members.map(({ address, sender, ...rest }) => ({
      recipient: { ...recipient, address, ...(sender === envelope.sender ? {} : anonymous) },
      outcome: { index, ...rest },
      sender,
    }));
  });
}

/** Whether an entry is about a recipient of these. */
export function isOf(entries: readonly NotifiedRecipient[]): (entry: NotifiedRecipient) => boolean {
  const indexes = new Set(entries.map(({ outcome }) => outcome.index));
  return ({ outcome }) => indexes.has(outcome.index);
}

function withSuccess({ recipient, outcome }: NotifiedRecipient): NotifiedRecipient {
  const { notify } = recipient;
  if (notify.length > 0 && !notify.includes('delay')) return { recipient, outcome };
  const asked: readonly Notify[] = notify.length === 0 ? ['success', 'failure', 'delay'] : [...notify, 'success'];
  return { recipient: { ...recipient, notify: asked }, outcome };
}

/**
 * `sendmail -v` wants to hear of every address, NOTIFY=SUCCESS of the delivered ones and of an alias as a whole; a next
 * server that knows DSN (no action) tells the sender itself. RFC 3461, 5.2.7
 */
function successesAskedFor(details: readonly Detail[]): readonly Detail[] {
  const isExpanded = isOf(details.filter(({ outcome }) => outcome.action === 'expanded'));
  return details.filter((detail) => {
    const { kind, action } = detail.outcome;
    if (kind !== 'sent' || action === undefined || !detail.recipient.notify.includes('success')) return false;
    return action === 'expanded' || !isExpanded(detail);
  });
}

/** Sends the reports that are due; gives the recipients whose failure could not be reported and who therefore stay. */
export async function sendReports(
  queued: QueuedMessage,
  { all: given, deferred, confirmsDelayCleared }: Reported,
  bouncer: Bouncer,
): Promise<readonly NotifiedRecipient[]> {
  const { trace, origin } = queued.envelope;
  if (origin === 'verify') return [];
  const all = confirmsDelayCleared && queued.warnedAt > 0 ? given.map(withSuccess) : given;
  const details = detailsOf(all, queued);
  if (trace === 'verify') {
    await bouncer.notify('verify', queued, details);
    return [];
  }
  // what is deferred and does not stay has expired
  const stays = isOf(deferred);
  const failed = details.filter(
    (entry) => entry.outcome.kind === 'bounced' || (entry.outcome.kind === 'deferred' && !stays(entry)),
  );
  const unreported: NotifiedRecipient[] = [];
  for (const [sender, entries] of Map.groupBy(failed, (entry) => entry.sender)) {
    const result = await bouncer.notify('failure', queued, entries, sender);
    if (!result.ok) unreported.push(...given.filter(isOf(entries)).map((entry) => keep(entry, result.reason)));
  }
  const succeeded = trace === 'record' ? details : successesAskedFor(details);
  if (succeeded.length > 0) await bouncer.notify('success', queued, succeeded);
  return unreported.filter((entry) => !stays(entry));
}

function keep({ recipient, outcome }: NotifiedRecipient, reason: string): NotifiedRecipient {
  const status: Status = { code: '4.3.0', reason: `bounce or trace service failure: ${reason}` };
  const { members: _, ...rest } = outcome;
  return { recipient, outcome: { ...rest, kind: 'deferred', status } };
}

/** Tells the sender who still waits. */
export function sendDelayWarning(
  queued: QueuedMessage,
  deferred: readonly NotifiedRecipient[],
  bouncer: Bouncer,
): Promise<NotifyResult> {
  const waiting = detailsOf(deferred, queued).filter(({ outcome }) => outcome.kind === 'deferred');
  return bouncer.notify('delay', queued, waiting);
}
