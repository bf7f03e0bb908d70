/**
 * The queue manager: takes messages from the store, routes and schedules them, hands deliveries to agents, and settles
 * what comes of them. qmgr(8)
 */
import { splitAddress, toExternal } from '#address';
import { verpSender } from '#bounce';
import type { Settings } from '#config';
import type { EventChannel } from '#events';
import {
  concludedAs,
  type AddressVerification,
  type DeliveryAgent,
  type DeliveryRequest,
  type Envelope,
  type MaybePromise,
  type Outcome,
  type RequestRecipient,
  type Status,
} from '#message';
import type { Resolution } from '#rewrite';
import { type QueuedMessage, type QueueStore, StoreError } from '#store';
import { ActiveMessage, type Entry } from './active.ts';
import { nextAttemptAt } from './backoff.ts';
import { ClogWarning } from './clog-warning.ts';
import type { Destination } from './destination.ts';
import { Intake } from './intake.ts';
import { bucketKey, type Route, routeRecipient } from './routing.ts';
import { Scheduler, type TransportStatus } from './scheduler.ts';
import { compileSettings, compileTransport, type QmgrSettings } from './settings.ts';
import type { Bouncer } from './reports.ts';
import { settleMessage } from './settle.ts';

export interface QueueManagerOptions {
  readonly store: QueueStore;
  readonly agents: ReadonlyMap<string, DeliveryAgent>;
  /** Deliveries at once for a transport, from master.cf; 0: unlimited. */
  readonly processLimit: (transport: string) => number;
  readonly resolve: (sender: string, recipient: string, use: 'mail' | 'verify') => MaybePromise<Resolution>;
  /** Who hears what probes find. */
  readonly probes?: Pick<AddressVerification, 'update'> | undefined;
  readonly bouncer: Bouncer;
  readonly settings: Settings;
  readonly events: EventChannel;
  /** Where deferrals by the queue manager itself are logged (error(8) in Postfix). */
  readonly errorEvents: EventChannel;
  readonly now: () => number;
}

export interface QueueManagerStatus {
  readonly active: number;
  readonly transports: readonly TransportStatus[];
}

/** With VERP each recipient has a sender of its own. VERP_README */
function envelopeFor(envelope: Envelope, [recipient]: readonly RequestRecipient[]): Envelope {
  const { verp, sender } = envelope;
  if (verp === '' || sender === '' || recipient === undefined) return envelope;
  return { ...envelope, sender: verpSender(verp, sender, recipient.original || recipient.address) };
}

/** Transports and destinations are worked on in the order of their names. */
function byName<T>(groups: ReadonlyMap<string, T>): readonly (readonly [string, T])[] {
  const entries = [...groups];
  return entries.length < 2 ? entries : entries.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Recipients of one domain stand together. */
function byDomain(a: RequestRecipient, b: RequestRecipient): number {
  const [left, right] = [splitAddress(a.address), splitAddress(b.address)];
  const first = left.domain.toLowerCase();
  const second = right.domain.toLowerCase();
  if (first !== second) return first < second ? -1 : 1;
  const [one, other] = [a.address.toLowerCase(), b.address.toLowerCase()];
  return one < other ? -1 : one > other ? 1 : 0;
}

export class QueueManager {
  readonly #options: QueueManagerOptions;
  readonly #settings: QmgrSettings;
  readonly #recipientDelimiter: string;
  readonly #scheduler: Scheduler;
  readonly #intake: Intake;
  readonly #clogWarning: ClogWarning;
  /** Transports that nobody serves, and until when that is not said again. */
  readonly #absentUntil = new Map<string, number>();
  readonly #active = new Map<string, ActiveMessage>();
  #activeProbes = 0;
  #pauseTimer: NodeJS.Timeout | undefined;
  #isStopped = true;
  #whenIdle: (() => void) | undefined;

  constructor(options: QueueManagerOptions) {
    this.#options = options;
    this.#settings = compileSettings(options.settings);
    this.#recipientDelimiter = options.settings.string('recipient_delimiter');
    this.#scheduler = new Scheduler((transport) =>
      compileTransport(options.settings, transport, options.processLimit(transport)),
    );
    const warn = (text: string): void => options.events.emit({ kind: 'warning', text });
    this.#clogWarning = new ClogWarning(this.#settings, warn);
    this.#intake = new Intake({
      store: options.store,
      settings: this.#settings,
      now: options.now,
      accept: (message) => this.#accept(message),
      prepare: () => this.#scheduler.prune(options.now()),
      warn,
    });
  }

  start(): void {
    this.#isStopped = false;
    this.#intake.start();
  }

  /** Takes no more, and waits for what runs until `deadlineMs` from now. */
  async stop(deadlineMs: number): Promise<void> {
    this.#isStopped = true;
    this.#intake.stop();
    clearTimeout(this.#pauseTimer);
    const running = [...this.#active.values()].some((message) => message.openEntries > 0);
    if (!running) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, deadlineMs);
      this.#whenIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    for (const message of this.#active.values()) message.abort.abort();
  }

  get activeCount(): number {
    return this.#active.size;
  }

  /** Tries everything now, dead destinations too (postqueue -f). */
  async flush(): Promise<void> {
    this.#scheduler.reviveAll();
    await this.#options.store.makeDue(this.#options.now());
    await this.scan();
  }

  /** Tries some messages now (postqueue -i, sendmail -qI). */
  async flushById(queueIds: readonly string[]): Promise<void> {
    this.#scheduler.reviveAll();
    this.#intake.takeAll(await this.#options.store.claimById(queueIds));
  }

  /** Tries the mail for a domain now (postqueue -s, ETRN). */
  async flushSite(domain: string): Promise<void> {
    this.#scheduler.reviveAll();
    await this.#options.store.makeDue(this.#options.now(), { recipientDomain: domain });
    await this.scan();
  }

  /** Claims what waits, as far as there is room. */
  scan(): Promise<void> {
    return this.#intake.scan();
  }

  #accept(queued: QueuedMessage): void {
    const message = new ActiveMessage(queued, this.#options.now());
    this.#active.set(queued.queueId, message);
    if (message.isAddressProbe) this.#activeProbes += 1;
    this.#options.events.emit({
      kind: 'active',
      queueId: queued.queueId,
      sender: queued.envelope.sender,
      sizeBytes: queued.sizeBytes,
      recipientCount: queued.recipients.length,
    });
    try {
      this.#route(message);
    } catch (error) {
      this.#giveUp(message, error);
    }
  }

  #route(message: ActiveMessage): void {
    const { queued } = message;
    const pending = queued.recipients.filter((recipient) => recipient.state === 'pending');
    const options = {
      settings: this.#settings,
      resolve: this.#options.resolve,
      isFullOfProbes: this.#activeProbes > this.#settings.probeLimit,
    };
    const routes = pending.map((recipient) => routeRecipient(queued, recipient, options));
    const ready = routes.filter((route): route is Route => !(route instanceof Promise));
    if (ready.length === routes.length) this.#schedule(message, ready);
    else {
      Promise.all(routes.map((route) => Promise.resolve(route)))
        .then((all) => this.#schedule(message, all))
        .catch((error: unknown) => this.#giveUp(message, error));
    }
  }

  /** A bug met while routing: the message waits for its next turn. */
  #giveUp(message: ActiveMessage, error: unknown): void {
    this.#emitPanic(error);
    const status: Status = { code: '4.3.0', reason: 'address resolver failure' };
    for (const { index, state } of message.queued.recipients) {
      if (state === 'pending' && !message.outcomes.has(index)) message.record({ index, kind: 'deferred', status });
    }
    // what was scheduled before the bug was met still runs, and settles at its end
    if (message.openEntries === 0) void this.#settle(message);
  }

  #emitPanic(error: unknown): void {
    const stack = error instanceof Error ? (error.stack ?? '') : '';
    this.#options.events.emit({ kind: 'panic', text: error instanceof Error ? error.message : String(error), stack });
  }

  #schedule(message: ActiveMessage, routes: readonly Route[]): void {
    for (const route of routes)
      if (route.kind === 'decided') this.#decide(message, route.recipient, route.outcome, route.status);
    for (const [transport, group] of byName(
      Map.groupBy(
        routes.filter((route) => route.kind === 'deliver'),
        (route) => route.transport,
      ),
    )) {
      this.#scheduleTransport(message, transport, group);
    }
    if (message.openEntries === 0) void this.#settle(message);
    else this.#dispatch();
  }

  #scheduleTransport(
    message: ActiveMessage,
    transport: string,
    routes: readonly (Route & { kind: 'deliver' })[],
  ): void {
    if (!this.#options.agents.has(transport)) {
      const now = this.#options.now();
      if ((this.#absentUntil.get(transport) ?? 0) <= now) {
        this.#absentUntil.set(transport, now + this.#settings.transportRetryMs);
        this.#options.events.emit({
          kind: 'warning',
          text: `connect to transport private/${transport}: No such file or directory`,
        });
      }
      for (const route of routes)
        this.#decide(message, route.recipient, 'deferred', { code: '4.3.0', reason: 'mail transport unavailable' });
      return;
    }
    const { recipientLimit } = this.#scheduler.settingsOf(transport);
    const buckets = Map.groupBy(routes, (route) =>
      bucketKey(
        route.nexthop,
        route.recipient.address,
        recipientLimit,
        this.#recipientDelimiter,
        this.#settings.doubleBounceSender,
      ),
    );
    const entries: Entry[] = [];
    for (const [key, bucket] of byName(buckets)) {
      const [first] = bucket;
      if (first === undefined) continue;
      const destination = this.#scheduler.destination(transport, key, first.nexthop);
      const now = this.#options.now();
      const dead = destination.deadFor(now);
      if (dead !== undefined) {
        const { code, reason } = dead;
        for (const { recipient } of bucket)
          this.#decide(message, recipient, 'deferred', { code, reason: `delivery temporarily suspended: ${reason}` });
        continue;
      }
      const { verp, sender } = message.queued.envelope;
      const atOnce = verp === '' || sender === '' ? recipientLimit : 1;
      const size = atOnce === 0 ? bucket.length : atOnce;
      const sorted = bucket.map((route) => route.recipient).toSorted(byDomain);
      for (let at = 0; at < sorted.length; at += size)
        entries.push({ message, destination, recipients: sorted.slice(at, at + size) });
    }
    message.openEntries += entries.length;
    this.#scheduler.add(transport, message, entries);
    for (const destination of new Set(entries.map((entry) => entry.destination)))
      this.#clogWarning.look(transport, destination, this.#active.size, this.#options.now());
  }

  /** An outcome without a delivery, with its log line. */
  #decide(message: ActiveMessage, recipient: RequestRecipient, found: Outcome['kind'], reason: Status): void {
    const { kind, status, logged } = concludedAs(
      { kind: found, status: reason },
      this.#probeOf(message),
      this.#settings.softBounce,
    );
    const now = this.#options.now();
    const { envelope, queueId } = message.queued;
    message.record({ index: recipient.index, kind, status });
    // what is discarded here is logged by qmgr(8) itself, failures by error(8)
    const channel = found === 'sent' ? this.#options.events : this.#options.errorEvents;
    channel.emit({
      kind: 'delivery',
      queueId,
      recipient: toExternal(recipient.address),
      original: toExternal(recipient.original),
      relay: 'none',
      times: [envelope.arrivedAt, message.activeAt, now, now, now],
      code: status.code,
      outcome: logged,
      text: status.reason,
    });
  }

  #probeOf(message: ActiveMessage): Pick<DeliveryRequest, 'probe' | 'forgetsFailure'> {
    return {
      probe: message.isProbe,
      forgetsFailure: message.isAddressProbe && !this.#settings.keepsProbeFailures,
    };
  }

  #dispatch(): void {
    if (this.#isStopped) return;
    const now = this.#options.now();
    for (const { transport, entry } of this.#scheduler.startable(now)) void this.#deliver(transport, entry);
    const next = this.#scheduler.nextMoment(now);
    if (next === undefined) return;
    clearTimeout(this.#pauseTimer);
    this.#pauseTimer = setTimeout(() => this.#dispatch(), next - now);
  }

  async #deliver(transport: string, { message, destination, recipients }: Entry): Promise<void> {
    const { agents, now } = this.#options;
    const { queued } = message;
    const request: DeliveryRequest = {
      queueId: queued.queueId,
      envelope: envelopeFor(queued.envelope, recipients),
      content: queued.content,
      sizeBytes: queued.sizeBytes,
      transport,
      nexthop: destination.nexthop,
      recipients,
      activeAt: message.activeAt,
      startedAt: now(),
      reuseConnection: destination.waitingCount > 0 || destination.busy > 1,
      ...this.#probeOf(message),
      signal: message.abort.signal,
    };
    try {
      const agent = agents.get(transport);
      if (agent === undefined) throw new Error(`no agent for transport ${transport}`);
      const { siteFailure } = await agent.deliver(request, (outcome) => this.#onOutcome(message, outcome));
      this.#feedback(transport, destination, siteFailure);
    } catch (error) {
      if (error instanceof StoreError) this.#warnOfStore(message, error);
      else this.#emitPanic(error);
    }
    for (const { index } of recipients) {
      if (message.outcomes.has(index)) continue;
      message.record({ index, kind: 'deferred', status: { code: '4.3.0', reason: 'unknown mail transport error' } });
    }
    this.#scheduler.finished(transport, destination, now());
    message.openEntries -= 1;
    if (message.openEntries === 0) void this.#settle(message);
    this.#dispatch();
  }

  /** A delivery is written down as it is known, unless it is the last one: then the settlement holds it. */
  #onOutcome(message: ActiveMessage, outcome: Outcome): void {
    message.record(outcome);
    // a failure is tried again after a crash: its report has not been sent yet
    if (message.outcomes.size >= message.pendingCount || outcome.kind !== 'sent') return;
    message.unwritten.push(outcome);
    if (!message.isWriting) void this.#writeOutcomes(message);
  }

  /** One write at a time a message: while it is on its way, further outcomes gather. */
  async #writeOutcomes(message: ActiveMessage): Promise<void> {
    message.isWriting = true;
    try {
      while (message.unwritten.length > 0 && this.#active.has(message.queued.queueId) && message.openEntries > 0) {
        await this.#options.store.settle({ queueId: message.queued.queueId, outcomes: message.unwritten.splice(0) });
      }
    } catch (error) {
      this.#warnOfStore(message, error);
    }
    message.isWriting = false;
  }

  #warnOfStore(message: ActiveMessage, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#options.events.emit({
      kind: 'warning',
      text: `${message.queued.queueId}: cannot read or update the queue: ${reason}`,
    });
  }

  #feedback(transport: string, destination: Destination, siteFailure: Status | undefined): void {
    const now = this.#options.now();
    if (siteFailure === undefined) destination.onSuccess();
    else destination.onSiteFailure(siteFailure, now, this.#settings.minimalBackoffMs);
    const dead = destination.deadFor(now);
    if (dead === undefined) return;
    const { code, reason } = dead;
    const suspended: Status = { code, reason: `delivery temporarily suspended: ${reason}` };
    for (const { message, recipients } of this.#scheduler.withdraw(transport, destination)) {
      for (const recipient of recipients) this.#decide(message, recipient, 'deferred', suspended);
      message.openEntries -= 1;
      if (message.openEntries === 0) void this.#settle(message);
    }
  }

  async #settle(message: ActiveMessage): Promise<void> {
    try {
      await settleMessage(message, { ...this.#options, settings: this.#settings });
    } catch (error) {
      this.#warnOfStore(message, error);
      await this.#putBack(message);
    }
    this.#active.delete(message.queued.queueId);
    if (message.isAddressProbe) this.#activeProbes -= 1;
    if (this.#active.size === 0) this.#whenIdle?.();
    this.#intake.left(message.queued);
  }

  /** The settlement failed, by the store or by a bug: the message is tried again later. */
  async #putBack(message: ActiveMessage): Promise<void> {
    const done = [...message.outcomes.values()].filter((outcome) => outcome.kind === 'sent');
    const { queueId, envelope } = message.queued;
    const dueAt = nextAttemptAt(envelope.arrivedAt, this.#options.now(), this.#settings);
    try {
      await this.#options.store.settle({ queueId, outcomes: done, next: { kind: 'deferred', dueAt } });
    } catch (error) {
      // it stays under our lease, which the next start gives back
      this.#warnOfStore(message, error);
    }
  }

  /** What is active, where it waits and why. */
  status(): QueueManagerStatus {
    return { active: this.#active.size, transports: this.#scheduler.status(this.#options.now()) };
  }
}

/** Creates the queue manager; `start` begins. */
export function createQueueManager(options: QueueManagerOptions): QueueManager {
  return new QueueManager(options);
}
