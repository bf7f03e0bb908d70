/** What comes of a message when all its deliveries have ended: removed, bounced, deferred, expired. qmgr(8), bounce(8) */
import { setTimeout } from 'node:timers/promises';
import { splitAddress } from '#address';
import type { EventChannel } from '#events';
import type { AddressVerification, Outcome, ProbeResult, Status } from '#message';
import type { QueuedMessage, QueueStore } from '#store';
import type { ActiveMessage } from './active.ts';
import { isExpired, nextAttemptAt } from './backoff.ts';
import type { QueueManagerOptions } from './options.ts';
import type { OutcomeWriter } from './outcome-writer.ts';
import type { NotifiedParts, NotifiedRecipient } from './report-details.ts';
import { type Bouncer, type Reported, sendDelayWarning, sendReports, type Unreported } from './reports.ts';
import type { QmgrSettings } from './settings.ts';
import { tellTrouble } from './trouble.ts';

/** After that a queue that could not be written is tried again. */
const retryMs = 10_000;

export interface SettleOptions {
  readonly store: Pick<QueueStore, 'settle'>;
  readonly bouncer: Bouncer;
  readonly writer: OutcomeWriter;
  /** Who hears what probes find. */
  readonly probes?: Pick<AddressVerification, 'update'> | undefined;
  readonly isFlushedSite?: QueueManagerOptions['isFlushedSite'];
  readonly settings: QmgrSettings;
  readonly events: EventChannel;
  readonly now: () => number;
}

/** Writes down the end of an attempt. When that fails, by the store or by a bug, the message is tried again later. */
export async function settleOrPutBack(message: ActiveMessage, options: SettleOptions): Promise<void> {
  const { store, events, settings, now } = options;
  try {
    await settleMessage(message, options);
    return;
  } catch (error) {
    tellTrouble(message, error, events);
  }
  const { queueId, envelope } = message.queued;
  const rest = message.attempt.rest();
  do {
    const dueAt = nextAttemptAt(envelope.arrivedAt, now(), settings);
    try {
      await store.settle({ queueId, ...rest, next: { kind: 'deferred', dueAt } });
      return;
    } catch (error) {
      tellTrouble(message, error, events);
    }
    // until then nobody else would take it; at a stop its lease ends
  } while (await hasPaused(message.abort.signal));
}

/** False: the queue manager stops. */
async function hasPaused(signal: AbortSignal): Promise<boolean> {
  try {
    await setTimeout(retryMs, undefined, { signal, ref: false });
    return true;
  } catch {
    return false;
  }
}

async function settleMessage(message: ActiveMessage, options: SettleOptions): Promise<void> {
  const { queueId } = message.queued;
  // nobody is to hear of it
  if (message.withdrawn === 'deleted') await options.store.settle({ queueId, outcomes: [], next: { kind: 'gone' } });
  else if (!message.attempt.mayBeReported && !message.isGivenUp) await remove(queueId, options);
  else await reportAndSettle(message, options);
}

async function reportAndSettle(message: ActiveMessage, options: SettleOptions): Promise<void> {
  const { store, settings, writer, bouncer } = options;
  const { queued } = message;
  const { queueId, envelope } = queued;
  if (queued.recipients.isInParts) await writer.finish(message);
  const now = options.now();
  const { waits, reported } = reportedOf(message, now, options);
  if (envelope.origin === 'verify')
    for await (const part of reported.all) for (const one of part) tellProbeResult(one, options);
  const unreported = await sendReports(queued, reported, bouncer);
  const isAllTold = unreported.failures.size === 0 && !unreported.hasSuccesses;
  if (!waits && isAllTold && !message.isGivenUp) {
    await remove(queueId, options);
    return;
  }
  const warnedAt = waits && isAllTold ? await warnOfDelay(queued, reported, now, options) : undefined;
  const rest = queued.recipients.isInParts
    ? { outcomes: [], done: await finishedOf(reported, unreported) }
    : { outcomes: await outcomesOf(reported, unreported) };
  await store.settle({
    queueId,
    ...rest,
    next: { kind: 'deferred', dueAt: nextAttemptAt(envelope.arrivedAt, now, settings) },
    ...(warnedAt === undefined ? {} : { warnedAt }),
    ...(await waitingSites(reported, options)),
  });
}

/** What reports speak of; `waits`: some recipients are tried again. */
function reportedOf(
  { queued, attempt, isProbe }: ActiveMessage,
  now: number,
  { settings, events }: SettleOptions,
): { readonly waits: boolean; readonly reported: Reported } {
  const { queueId, envelope, forcedExpire } = queued;
  // a probe is answered once, whatever came of it
  const hasDeferred = !isProbe && attempt.deferredCount > 0;
  const expires = hasDeferred && (forcedExpire || isExpired(envelope, now, settings));
  const waits = hasDeferred && !expires;
  const all: NotifiedParts = {
    async *[Symbol.asyncIterator]() {
      yield* attempt.findings();
    },
  };
  const reported: Reported = {
    all,
    stays: ({ kind }) => waits && kind === 'deferred',
    confirmsDelayCleared: settings.confirmsDelayCleared,
    isLeftOver: (outcome) => attempt.isLeftOver(outcome),
    onExpired: expires
      ? () => events.emit({ kind: 'expired', queueId, sender: envelope.sender, isForced: forcedExpire })
      : undefined,
    onFailed: (report) => events.emit({ kind: 'reportFailed', queueId, report }),
  };
  return { waits, reported };
}

/** The sites that recipients wait for. ETRN_README */
async function waitingSites(
  { all, stays }: Pick<Reported, 'all' | 'stays'>,
  { isFlushedSite }: SettleOptions,
): Promise<{ readonly sites?: readonly string[] }> {
  if (isFlushedSite === undefined) return {};
  const domains = new Set<string>();
  for await (const part of all)
    for (const { recipient, outcome } of part)
      if (stays(outcome)) domains.add(splitAddress(recipient.address).domain.toLowerCase());
  const sites: string[] = [];
  for (const domain of domains) if (await isFlushedSite(domain)) sites.push(domain);
  return { sites };
}

async function remove(queueId: string, { store, events }: SettleOptions): Promise<void> {
  await store.settle({ queueId, outcomes: [], next: { kind: 'gone' } });
  events.emit({ kind: 'removed', queueId });
}

/** What there is still to do about a recipient: deliver to it, report on it, or nothing. */
type Rest = 'delivery' | 'report' | 'nothing';

function restOf(outcome: Outcome, { stays }: Pick<Reported, 'stays'>, { failures, hasSuccesses }: Unreported): Rest {
  if (stays(outcome)) return 'delivery';
  return failures.has(outcome.index) || (hasSuccesses && outcome.kind === 'sent') ? 'report' : 'nothing';
}

/** What is known of few recipients; whose failure could not be reported is tried again, a success only reported. */
async function outcomesOf(reported: Reported, unreported: Unreported): Promise<readonly Outcome[]> {
  const ended: Outcome[] = [];
  const waiting: Outcome[] = [];
  for (const { outcome } of (await Array.fromAsync(reported.all)).flat()) {
    const rest = restOf(outcome, reported, unreported);
    const reason = rest === 'report' ? unreported.failures.get(outcome.index) : undefined;
    const { isUnreported: _before, ...plain } = outcome;
    const { members: _members, ...kept } = plain;
    if (reason !== undefined) {
      const status: Status = { code: '4.3.0', reason: `bounce or trace service failure: ${reason}` };
      waiting.push({ ...kept, kind: 'deferred', status });
    } else if (rest === 'delivery') waiting.push(plain);
    else if (rest === 'report') ended.push({ ...plain, isUnreported: true });
    // what waited has expired, and the sender was told
    else ended.push(plain.kind === 'deferred' ? { ...plain, kind: 'bounced' } : plain);
  }
  return [...ended, ...waiting];
}

/** Recipients in parts that all is said of. What could not be reported is reported with the next attempt. */
async function finishedOf(reported: Reported, unreported: Unreported): Promise<readonly number[]> {
  const done: number[] = [];
  for await (const part of reported.all)
    for (const { outcome } of part) if (restOf(outcome, reported, unreported) === 'nothing') done.push(outcome.index);
  return done;
}

/** The cache hears of the address that was asked about, and of the one it stands for. verify(8) */
function tellProbeResult({ recipient, outcome }: NotifiedRecipient, { probes }: SettleOptions): void {
  const { code, reason } = outcome.status;
  const state: ProbeResult['state'] = code.startsWith('2')
    ? 'deliverable'
    : code.startsWith('5')
      ? 'bounced'
      : 'deferred';
  for (const address of new Set([recipient.original, recipient.address]))
    if (address !== '') probes?.update(address, { state, reason });
}

/** One delay warning a message. Gives when it was sent. */
async function warnOfDelay(
  queued: QueuedMessage,
  reported: Reported,
  now: number,
  { bouncer, settings }: SettleOptions,
): Promise<number | undefined> {
  const { sender, originalQueueId } = queued.envelope;
  // a requeued message keeps its age, and what was said about it; of a notice nobody hears that it is late
  const mayWarn = settings.delayWarningMs > 0 && queued.warnedAt === 0 && originalQueueId === '' && sender !== '';
  const seconds = (ms: number): number => Math.floor(ms / 1000);
  // Postfix is a second early
  const isDue = mayWarn && seconds(now) >= seconds(queued.envelope.arrivedAt + settings.delayWarningMs) - 1;
  if (!isDue) return undefined;
  const result = await sendDelayWarning(queued, reported, bouncer);
  return result.ok ? now : undefined;
}
