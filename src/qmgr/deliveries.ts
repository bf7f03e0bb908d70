/** Deliveries under way: what agents are asked, what they answer, and what their destinations learn from it. qmgr(8) */
import { setTimeout } from 'node:timers/promises';
import { verpSender } from '#bounce';
import type { DeliveryRequest, Envelope, Outcome, RequestRecipient, Status } from '#message';
import { StoreError } from '#store';
import type { ActiveMessage, Entry } from './active.ts';
import type { Decisions } from './decisions.ts';
import type { Destination } from './destination.ts';
import type { QueueManagerOptions } from './options.ts';
import type { RecipientSpace } from './recipient-space.ts';
import type { Scheduler } from './scheduler.ts';
import type { QmgrSettings } from './settings.ts';
import { emitPanic, warnOfStore } from './trouble.ts';

export interface DeliveryParts {
  readonly options: QueueManagerOptions;
  readonly settings: QmgrSettings;
  readonly scheduler: Scheduler;
  readonly space: RecipientSpace;
  readonly decisions: Decisions;
  readonly isActive: (message: ActiveMessage) => boolean;
  /** A delivery of the message is over: there is room for others. */
  readonly onEnded: (message: ActiveMessage) => void;
  /** A delivery of the message was given up before it began. */
  readonly onWithdrawn: (message: ActiveMessage) => void;
}

/** With VERP each recipient has a sender of its own. VERP_README */
function envelopeFor(envelope: Envelope, [recipient]: readonly RequestRecipient[]): Envelope {
  const { verp, sender } = envelope;
  if (verp === '' || sender === '' || recipient === undefined) return envelope;
  return { ...envelope, sender: verpSender(verp, sender, recipient.original || recipient.address) };
}

const manyRecipients = 1000;
const pausesPerWrite = 20;
const longestPauseMs = 2000;

export class Deliveries {
  readonly #parts: DeliveryParts;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
  }

  /** Makes one delivery, to its end. */
  async deliver(transport: string, { message, destination, recipients }: Entry): Promise<void> {
    const { agents, now } = this.#parts.options;
    const { queued } = message;
    const startedAt = now();
    const request: DeliveryRequest = {
      queueId: queued.queueId,
      envelope: envelopeFor(queued.envelope, recipients),
      content: queued.content,
      sizeBytes: queued.sizeBytes,
      transport,
      nexthop: destination.nexthop,
      recipients,
      activeAt: message.activeAt,
      startedAt,
      reuseConnection: destination.keepsConnections(startedAt),
      ...this.#parts.decisions.probeOf(message),
      signal: message.abort.signal,
    };
    try {
      const agent = agents.get(transport);
      if (agent === undefined) throw new Error(`no agent for transport ${transport}`);
      const { siteFailure } = await agent.deliver(request, (outcome) => this.#onOutcome(message, outcome));
      this.#feedback(transport, destination, siteFailure);
    } catch (error) {
      if (error instanceof StoreError) warnOfStore(message, error, this.#parts.options.events);
      else emitPanic(error, this.#parts.options.events);
    }
    for (const { index } of recipients) {
      if (message.outcomes.has(index)) continue;
      message.record({ index, kind: 'deferred', status: { code: '4.3.0', reason: 'unknown mail transport error' } });
    }
    destination.onDone(now());
    this.#parts.space.released(message, transport, recipients.length);
    this.#parts.scheduler.finished(transport, destination, now());
    this.#parts.onEnded(message);
  }

  /** A delivery is written down as it is known, unless it is the last one: then the settlement holds it. */
  #onOutcome(message: ActiveMessage, outcome: Outcome): void {
    message.record(outcome);
    // a failure is tried again after a crash: its report has not been sent yet
    if (message.outcomes.size >= message.pendingCount || outcome.kind !== 'sent') return;
    message.unwritten.push(outcome);
    if (!message.isWriting) void this.#writeOutcomes(message);
  }

  /**
   * One write at a time a message: while it is on its way, further outcomes gather. A write holds all that is known of
   * the message, so with many recipients it is followed by a pause, which keeps writing to a small share of the time.
   */
  async #writeOutcomes(message: ActiveMessage): Promise<void> {
    message.isWriting = true;
    try {
      while (message.unwritten.length > 0 && this.#parts.isActive(message) && !message.isDone) {
        const startedAt = performance.now();
        await this.#writeUnwritten(message);
        if (message.pendingCount < manyRecipients) continue;
        const pauseMs = Math.min((performance.now() - startedAt) * pausesPerWrite, longestPauseMs);
        await setTimeout(pauseMs, undefined, { ref: false });
      }
    } catch (error) {
      warnOfStore(message, error, this.#parts.options.events);
    }
    message.isWriting = false;
  }

  #writeUnwritten({ queued, unwritten }: ActiveMessage): Promise<void> {
    return this.#parts.options.store.settle({ queueId: queued.queueId, outcomes: unwritten.splice(0) });
  }

  /** Writes down what is known of a message that stays active at a stop. */
  async writeRest(message: ActiveMessage): Promise<void> {
    if (message.unwritten.length === 0) return;
    try {
      await this.#writeUnwritten(message);
    } catch (error) {
      warnOfStore(message, error, this.#parts.options.events);
    }
  }

  #tellFeedback(destination: Destination, step: 'success' | 'failure', feedback: number | undefined): void {
    const { events } = this.#parts.options;
    if (feedback !== undefined) events.emit({ kind: 'feedback', step, feedback });
    events.emit({ kind: 'window', step, ...destination.concurrency });
  }

  #feedback(transport: string, destination: Destination, siteFailure: Status | undefined): void {
    const now = this.#parts.options.now();
    const { minimalBackoffMs, tellsFeedback } = this.#parts.settings;
    const feedback =
      siteFailure === undefined
        ? destination.onSuccess()
        : destination.onSiteFailure(siteFailure, now, minimalBackoffMs);
    if (tellsFeedback) this.#tellFeedback(destination, siteFailure === undefined ? 'success' : 'failure', feedback);
    const dead = destination.deadFor(now);
    if (dead === undefined) return;
    const { code, reason } = dead;
    const suspended: Status = { code, reason: `delivery temporarily suspended: ${reason}` };
    for (const { message, recipients } of this.#parts.scheduler.withdraw(transport, destination)) {
      for (const recipient of recipients) this.#parts.decisions.decide(message, recipient, 'deferred', suspended);
      this.#parts.space.released(message, transport, recipients.length);
      this.#parts.onWithdrawn(message);
    }
  }
}
