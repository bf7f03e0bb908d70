/** What comes of a message when all its deliveries have ended: removed, bounced, deferred, expired. qmgr(8), bounce(8) */
import type { EventChannel } from '#events';
import type { AddressVerification, ProbeResult } from '#message';
import type { QueuedMessage, QueueStore } from '#store';
import type { ActiveMessage } from './active.ts';
import { isExpired, nextAttemptAt } from './backoff.ts';
import { type Bouncer, isOf, type NotifiedRecipient, sendDelayWarning, sendReports } from './reports.ts';
import type { QmgrSettings } from './settings.ts';

export interface SettleOptions {
  readonly store: QueueStore;
  readonly bouncer: Bouncer;
  /** Who hears what probes find. */
  readonly probes?: Pick<AddressVerification, 'update'> | undefined;
  readonly settings: QmgrSettings;
  readonly events: EventChannel;
  readonly now: () => number;
}

/** Writes down the end of an attempt. */
export async function settleMessage(message: ActiveMessage, options: SettleOptions): Promise<void> {
  const { store, settings, events } = options;
  const { queued, outcomes } = message;
  const { queueId } = queued;
  // in the order in which they became known: so they stand in reports
  const all = [...outcomes.values()].flatMap((outcome) => {
    const recipient = queued.recipients[outcome.index];
    return recipient === undefined ? [] : [{ recipient, outcome }];
  });
  if (queued.envelope.origin === 'verify') for (const one of all) tellProbeResult(one, options);
  // a probe is answered once, whatever came of it
  let deferred = message.isProbe ? [] : all.filter(({ outcome }) => outcome.kind === 'deferred');
  const now = options.now();
  const expires =
    deferred.length > 0 &&
    (queued.forcedExpire ||
      isExpired({ arrivedAt: queued.envelope.arrivedAt, sender: queued.envelope.sender }, now, settings));
  if (expires) {
    events.emit({ kind: 'expired', queueId, sender: queued.envelope.sender, isForced: queued.forcedExpire });
    deferred = [];
  }
  const unreported = await sendReports(
    queued,
    { all, deferred, confirmsDelayCleared: settings.confirmsDelayCleared },
    options.bouncer,
  );
  const warnedAt = unreported.length > 0 ? undefined : await warnOfDelay(queued, deferred, now, options);
  const waiting = [...deferred, ...unreported];
  const waits = isOf(waiting);
  if (waiting.length === 0) {
    await store.settle({ queueId, outcomes: [], next: { kind: 'gone' } });
    events.emit({ kind: 'removed', queueId });
    return;
  }
  await store.settle({
    queueId,
    outcomes: [...all.filter((one) => !waits(one)), ...waiting].map(({ outcome }) => outcome),
    next: { kind: 'deferred', dueAt: nextAttemptAt(queued.envelope.arrivedAt, now, settings) },
    ...(warnedAt === undefined ? {} : { warnedAt }),
  });
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
  deferred: readonly NotifiedRecipient[],
  now: number,
  { bouncer, settings }: SettleOptions,
): Promise<number | undefined> {
  // a requeued message keeps its age, and what was said about it
  const mayWarn = settings.delayWarningMs > 0 && queued.warnedAt === 0 && queued.envelope.originalQueueId === '';
  const seconds = (ms: number): number => Math.floor(ms / 1000);
  // Postfix is a second early
  const isDue = mayWarn && seconds(now) >= seconds(queued.envelope.arrivedAt + settings.delayWarningMs) - 1;
  if (!isDue || deferred.length === 0) return undefined;
  const result = await sendDelayWarning(queued, deferred, bouncer);
  return result.ok ? now : undefined;
}
