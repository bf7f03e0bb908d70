/** Which reports the end of an attempt calls for, and what they speak of. qmgr(8), bounce(8), RFC 3461 */
import { setImmediate } from 'node:timers/promises';
import type { Outcome } from '#message';
import type { QueuedMessage } from '#store';
import {
  type Detail,
  detailsOf,
  hasFailed,
  type NotifiedRecipient,
  successesAskedFor,
  withSuccess,
} from './report-details.ts';

/** A few at a time, so that many need not be in memory at once; each time anew. */
export type NotifiedParts = Iterable<readonly NotifiedRecipient[]>;

type NotifyResult = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** The part of bounce(8) that the queue manager asks. */
export interface Bouncer {
  notify(
    kind: 'failure' | 'delay' | 'success' | 'verify',
    message: QueuedMessage,
    recipients: NotifiedParts,
    /** Who hears of it when that is not the sender. */
    to?: string,
  ): Promise<NotifyResult>;
}

export interface Reported {
  /** Who was told of a delay hears that it is over. confirm_delay_cleared */
  readonly confirmsDelayCleared: boolean;
  /** Every recipient of the attempt. */
  readonly all: NotifiedParts;
  /** Whether a recipient stays in the queue. */
  readonly stays: (outcome: Outcome) => boolean;
  /** A report could not be sent. */
  readonly onFailed: (report: 'bounce' | 'verp' | 'delay warning' | 'trace') => void;
}

type Part = readonly NotifiedRecipient[];

/** Parts with something in them, each made of one of the given parts. */
function partsOf(parts: NotifiedParts, choose: (part: Part) => readonly Detail[]): NotifiedParts {
  return {
    *[Symbol.iterator]() {
      for (const part of parts) {
        const chosen = choose(part);
        if (chosen.length > 0) yield chosen;
      }
    },
  };
}

/** Aliases that cleanup expanded are told of once, at the end of the first attempt. */
function expansionsOf({ dueAt, envelope: { arrivedAt, expanded = [] } }: QueuedMessage): Part {
  if (dueAt > arrivedAt) return [];
  const status = { code: '2.0.0', reason: 'alias expanded' };
  return expanded.map((recipient) => ({
    recipient,
    outcome: { index: -1, kind: 'sent', status, action: 'expanded' },
  }));
}

function withFirst(first: Part, parts: NotifiedParts): NotifiedParts {
  if (first.length === 0) return parts;
  return {
    *[Symbol.iterator]() {
      yield first;
      yield* parts;
    },
  };
}

/** Sends the reports that are due; gives the recipients whose failure could not be reported, with the reason. */
export async function sendReports(
  queued: QueuedMessage,
  { all, stays, confirmsDelayCleared, onFailed }: Reported,
  bouncer: Bouncer,
): Promise<ReadonlyMap<number, string>> {
  const unreported = new Map<number, string>();
  const { trace, origin, sender: envelopeSender } = queued.envelope;
  if (origin === 'verify') return unreported;
  const clears = confirmsDelayCleared && queued.warnedAt > 0;
  const detailed = (part: Part): readonly Detail[] =>
    detailsOf(clears ? part.map(withSuccess) : part, envelopeSender, stays);
  if (trace === 'verify') {
    const told = await bouncer.notify('verify', queued, partsOf(all, detailed));
    if (told.ok) return unreported;
    onFailed('trace');
    // it is asked about once more: nothing is delivered by that
    for (const part of all) for (const { outcome } of part) unreported.set(outcome.index, told.reason);
    return unreported;
  }
  const succeeded = (details: readonly Detail[]): readonly Detail[] =>
    trace === 'record' ? details : successesAskedFor(details);
  const senders = new Set<string>();
  const expansions = expansionsOf(queued);
  let hasSucceeded = expansions.length > 0;
  for (const part of all) {
    const details = detailed(part);
    for (const detail of details) if (hasFailed(detail)) senders.add(detail.sender);
    hasSucceeded ||= succeeded(details).length > 0;
    if (queued.recipients.isInParts) await setImmediate();
  }
  for (const sender of senders) {
    const failed = partsOf(all, (part) =>
      detailed(part).filter((detail) => detail.sender === sender && hasFailed(detail)),
    );
    const result = await bouncer.notify('failure', queued, failed, sender);
    if (result.ok) continue;
    onFailed(queued.envelope.verp === '' ? 'bounce' : 'verp');
    for (const part of failed) for (const { outcome } of part) unreported.set(outcome.index, result.reason);
  }
  if (!hasSucceeded) return unreported;
  const successes = withFirst(
    expansions,
    partsOf(all, (part) => succeeded(detailed(part))),
  );
  const told = await bouncer.notify('success', queued, successes);
  if (!told.ok) onFailed('trace');
  return unreported;
}

/** Tells the sender who still waits. */
export async function sendDelayWarning(
  queued: QueuedMessage,
  { all, stays, onFailed }: Pick<Reported, 'all' | 'stays' | 'onFailed'>,
  bouncer: Bouncer,
): Promise<NotifyResult> {
  const waiting = partsOf(all, (part) =>
    detailsOf(part, queued.envelope.sender, stays).filter(
      (detail) => detail.stays && detail.outcome.kind === 'deferred',
    ),
  );
  const told = await bouncer.notify('delay', queued, waiting);
  if (!told.ok) onFailed('delay warning');
  return told;
}
