/** Deliveries under way: what agents are asked, what they answer, and what their destinations learn from it. qmgr(8) */
import type { DeliveryRequest, Outcome, RequestRecipient, Status } from '#message';
import type { ActiveMessage, Entry } from './active.ts';
import type { Decisions } from './decisions.ts';
import type { Destination } from './destination.ts';
import type { QueueManagerOptions } from './options.ts';
import type { OutcomeWriter } from './outcome-writer.ts';
import type { RecipientSpace } from './recipient-space.ts';
import type { Scheduler } from './scheduler.ts';
import type { QmgrSettings } from './settings.ts';
import { tellTrouble } from './trouble.ts';
import { envelopeFor } from './verp.ts';

export interface DeliveryParts {
  /** Its clock is that of the schedule. */
  readonly options: QueueManagerOptions;
  /** For the log. */
  readonly wallClock: () => number;
  readonly settings: QmgrSettings;
  readonly scheduler: Scheduler;
  readonly space: RecipientSpace;
  readonly decisions: Decisions;
  readonly writer: OutcomeWriter;
  /** A delivery of the message is over: there is room for others. */
  readonly onEnded: (message: ActiveMessage) => void;
  /** A delivery of the message was given up before it began. */
  readonly onWithdrawn: (message: ActiveMessage) => void;
}

export class Deliveries {
  readonly #parts: DeliveryParts;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
  }

  /** Makes one delivery, to its end. */
  async deliver(transport: string, { message, destination, recipients }: Entry): Promise<void> {
    const { agents, now } = this.#parts.options;
    const { queued } = message;
    const startedAt = this.#parts.wallClock();
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
      reuseConnection: destination.backToBack.keepsConnections(now(), destination.busy),
      ...this.#parts.decisions.probeOf(message),
      signal: message.abort.signal,
    };
    try {
      const agent = agents.get(transport);
      if (agent === undefined) throw new Error(`no agent for transport ${transport}`);
      const { siteFailure } = await agent.deliver(request, (outcome) => this.#onOutcome(message, outcome, recipients));
      this.#feedback(transport, destination, siteFailure);
    } catch (error) {
      tellTrouble(message, error, this.#parts.options.events);
    }
    for (const { index } of recipients) {
      if (message.attempt.has(index)) continue;
      const status: Status = { code: '4.3.0', reason: 'unknown mail transport error' };
      message.attempt.record({ index, kind: 'deferred', status }, recipients);
    }
    destination.backToBack.onDone(now());
    this.#parts.space.released(message, transport, recipients.length);
    this.#parts.scheduler.finished(transport, destination, now());
    this.#parts.onEnded(message);
  }

  #onOutcome(message: ActiveMessage, outcome: Outcome, recipients: readonly RequestRecipient[]): void {
    message.attempt.record(outcome, recipients);
    this.#parts.writer.begin(message);
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
    for (const { message, recipients } of this.#parts.scheduler.withdraw(transport, destination)) {
      for (const recipient of recipients) this.#parts.decisions.decide(message, recipient, 'deferred', dead);
      this.#parts.space.released(message, transport, recipients.length);
      this.#parts.onWithdrawn(message);
    }
  }
}
