/** Which reports the end of an attempt calls for, and what they speak of. qmgr(8), bounce(8), RFC 3461 */
import type { Outcome } from '#message';
import { type QueuedMessage, wasTried } from '#store';
import {
  type Detail,
  detailsOf,
  hasBounced,
  hasExpired,
  type NotifiedParts,
  type NotifiedRecipient,
  successesAskedFor,
  withSuccess,
} from './report-details.ts';

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
  /** Whether it is a success of an earlier attempt, of which the report could not be sent. */
  readonly isLeftOver: (outcome: Outcome) => boolean;
  /** The message has expired: told of before what waited is reported, by a notice of its own. Undefined: it has not. */
  readonly onExpired: (() => void) | undefined;
  /** A report could not be sent. */
  readonly onFailed: (report: 'bounce' | 'verp' | 'delay warning' | 'trace') => void;
}

/** What could not be told. */
export interface Unreported {
  /** Recipients whose failure could not be reported, with the reason. */
  readonly failures: ReadonlyMap<number, string>;
  /** The report of successes could not be sent. */
  readonly hasSuccesses: boolean;
}

type Part = readonly NotifiedRecipient[];

/** Parts with something in them, each made of one of the given parts. */
function partsOf(parts: NotifiedParts, choose: (part: Part) => readonly Detail[]): NotifiedParts {
  return {
    async *[Symbol.asyncIterator]() {
      for await (const part of parts) {
        const chosen = choose(part);
        if (chosen.length > 0) yield chosen;
      }
    },
  };
}

async function isEmpty(parts: NotifiedParts): Promise<boolean> {
  for await (const part of parts) if (part.length > 0) return false;
  return true;
}

/** What `sendmail -v` asks for, and aliases that cleanup expanded, are told of once: after the first attempt, or when that could not be told. */
async function isFirstReport(queued: QueuedMessage, reported: Reported): Promise<boolean> {
  return !wasTried(queued) || (await hasLeftOver(reported));
}

function expansionsOf({ envelope }: QueuedMessage): Part {
  const status = { code: '2.0.0', reason: 'alias expanded' };
  return (envelope.expanded ?? []).map((recipient) => ({
    recipient,
    outcome: { index: -1, kind: 'sent', status, action: 'expanded' },
  }));
}

async function hasLeftOver({ all, isLeftOver }: Reported): Promise<boolean> {
  for await (const part of all) if (part.some(({ outcome }) => isLeftOver(outcome))) return true;
  return false;
}

function withFirst(first: Part, parts: NotifiedParts): NotifiedParts {
  if (first.length === 0) return parts;
  return {
    async *[Symbol.asyncIterator]() {
      yield first;
      yield* parts;
    },
  };
}

type Detailed = (part: Part) => readonly Detail[];

/** Has each sender told of the failures that are its own. */
async function reportFailures(
  all: NotifiedParts,
  failures: Detailed,
  tell: (failed: NotifiedParts, sender: string) => Promise<void>,
): Promise<void> {
  const senders = new Set<string>();
  for await (const part of all) for (const { sender } of failures(part)) senders.add(sender);
  for (const sender of senders) {
    await tell(
      partsOf(all, (part) => failures(part).filter((detail) => detail.sender === sender)),
      sender,
    );
  }
}

/** False: the report could not be sent. */
async function reportSuccesses(
  queued: QueuedMessage,
  reported: Reported,
  detailed: Detailed,
  bouncer: Bouncer,
): Promise<boolean> {
  const { trace, expanded = [] } = queued.envelope;
  const isFirst = (trace === 'record' || expanded.length > 0) && (await isFirstReport(queued, reported));
  const succeeded: Detailed = (part) =>
    trace === 'record' && isFirst ? detailed(part) : successesAskedFor(detailed(part));
  const successes = withFirst(isFirst ? expansionsOf(queued) : [], partsOf(reported.all, succeeded));
  if (await isEmpty(successes)) return true;
  const told = await bouncer.notify('success', queued, successes);
  if (!told.ok) reported.onFailed('trace');
  return told.ok;
}

/** Sends the reports that are due; gives what could not be told. */
export async function sendReports(queued: QueuedMessage, reported: Reported, bouncer: Bouncer): Promise<Unreported> {
  const { all, stays, confirmsDelayCleared, onFailed, onExpired } = reported;
  const failures = new Map<number, string>();
  const { trace, origin, sender: envelopeSender, verp } = queued.envelope;
  if (origin === 'verify') return { failures, hasSuccesses: false };
  const clears = confirmsDelayCleared && queued.warnedAt > 0;
  const detailed: Detailed = (part) => detailsOf(clears ? part.map(withSuccess) : part, envelopeSender, stays);
  const keep = async (parts: NotifiedParts, reason: string): Promise<void> => {
    for await (const part of parts) for (const { outcome } of part) failures.set(outcome.index, reason);
  };
  if (trace === 'verify') {
    const told = await bouncer.notify('verify', queued, partsOf(all, detailed));
    if (!told.ok) {
      onFailed('trace');
      // it is asked about once more: nothing is delivered by that
      await keep(all, told.reason);
    }
    return { failures, hasSuccesses: false };
  }
  const tell = async (failed: NotifiedParts, sender: string): Promise<void> => {
    const told = await bouncer.notify('failure', queued, failed, sender);
    if (told.ok) return;
    onFailed(verp === '' ? 'bounce' : 'verp');
    await keep(failed, told.reason);
  };
  await reportFailures(all, (part) => detailed(part).filter(hasBounced), tell);
  const hasSuccesses = !(await reportSuccesses(queued, reported, detailed, bouncer));
  if (onExpired === undefined) return { failures, hasSuccesses };
  onExpired();
  await reportFailures(all, (part) => detailed(part).filter(hasExpired), tell);
  return { failures, hasSuccesses };
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
