/**
 * The queue manager: takes messages from the store, routes and schedules them, hands deliveries to agents, and settles
 * what comes of them. qmgr(8)
 */
import { longestTimerMs, type Outcome, type RequestRecipient } from '#message';
import { type QueuedMessage, StoreError } from '#store';
import { ActiveMessage, type WithdrawalReason } from './active.ts';
import { ActiveMessages } from './active-messages.ts';
import { Assignment } from './assignment.ts';
import { ClogWarning } from './clog-warning.ts';
import { Decisions } from './decisions.ts';
import { Deliveries } from './deliveries.ts';
import { Intake } from './intake.ts';
import { MessageReader } from './message-reader.ts';
import { NoticeOrder } from './notice-order.ts';
import type { QueueManagerOptions } from './options.ts';
import { OutcomeWriter } from './outcome-writer.ts';
import type { KnownRoute, Route } from './routing.ts';
import { RecipientSpace } from './recipient-space.ts';
import { Scheduler, type TransportStatus } from './scheduler.ts';
import { compileSettings, compileTransport, type QmgrSettings } from './settings.ts';
import { settleOrPutBack } from './settle.ts';
import { steadyClock } from './steady-clock.ts';
import { tellTrouble } from './trouble.ts';
import { Withdrawal } from './withdrawal.ts';
import { WorkUnderWay } from './work-under-way.ts';

export interface QueueManagerStatus {
  readonly active: number;
  readonly transports: readonly TransportStatus[];
  /** Messages with recipients that wait for room in memory. */
  readonly unread: readonly { readonly queueId: string; readonly recipients: number }[];
}

export class QueueManager {
  readonly #options: QueueManagerOptions;
  readonly #settings: QmgrSettings;
  /** For the schedule. */
  readonly #steadyNow: () => number;
  readonly #scheduler: Scheduler;
  readonly #space: RecipientSpace;
  readonly #reader: MessageReader;
  readonly #intake: Intake;
  readonly #assignment: Assignment;
  readonly #deliveries: Deliveries;
  readonly #withdrawal: Withdrawal;
  readonly #writer: OutcomeWriter;
  readonly #active = new ActiveMessages();
  #sequence = 0;
  /** Flushes whose messages are being claimed. */
  #flushes = 0;
  readonly #work = new WorkUnderWay();
  readonly #noticeOrder = new NoticeOrder();
  #pauseTimer: NodeJS.Timeout | undefined;
  #isStopped = true;

  constructor(options: QueueManagerOptions) {
    this.#options = options;
    this.#steadyNow = steadyClock(options.now);
    const warn = (text: string): void => options.events.emit({ kind: 'warning', text });
    this.#settings = compileSettings(options.settings, warn);
    this.#scheduler = new Scheduler({
      settingsOf: (transport) =>
        compileTransport(options.settings, transport, options.processLimit(transport), options.events),
      onAhead: (message, transport) => this.#space.gotAhead(message, transport),
      mostDead: this.#settings.recipientLimit,
    });
    this.#writer = new OutcomeWriter(options.store, options.events);
    this.#space = new RecipientSpace(this.#settings, (transport) => this.#scheduler.settingsOf(transport));
    const parts = {
      options: { ...options, now: this.#steadyNow },
      settings: this.#settings,
      scheduler: this.#scheduler,
      space: this.#space,
      decisions: new Decisions(options, this.#settings),
      writer: this.#writer,
    };
    this.#assignment = new Assignment({
      ...parts,
      clogWarning: new ClogWarning(this.#settings, warn),
      activeCount: () => this.#active.count,
    });
    this.#deliveries = new Deliveries({
      ...parts,
      wallClock: options.now,
      onEnded: (message) => {
        this.#endEntry(message);
        this.#dispatch();
        this.#work.end();
      },
      onWithdrawn: (message) => this.#endEntry(message),
    });
    this.#withdrawal = new Withdrawal({
      ...parts,
      active: this.#active,
      now: this.#steadyNow,
      settle: (message) => this.#settle(message),
      onAbsent: (queueId, why) => this.#intake.withdraw(queueId, why),
    });
    this.#reader = new MessageReader({
      ...parts,
      isFullOfProbes: () => this.#active.probeCount > this.#settings.probeLimit,
      onRouted: (message, routes) => this.#schedule(message, routes),
      onFailed: (message, recipients, error) => this.#giveUp(message, recipients, error),
      onFurther: () => this.#dispatch(),
    });
    this.#intake = new Intake({
      store: options.store,
      settings: this.#settings,
      now: options.now,
      inFlow: options.inFlow,
      accept: (message, withdrawn, isNamed) => this.#accept(message, withdrawn, isNamed),
      prepare: () => this.#scheduler.prune(this.#steadyNow()),
      warn,
    });
  }

  start(): void {
    this.#isStopped = false;
    this.#intake.start();
    this.#dispatch();
  }

  /** Delivers what comes from here, and leaves what waits in the queue to the next generation. */
  retire(): void {
    this.#intake.retire();
  }

  /** Takes no more, and waits for what runs until `deadlineMs` from now. */
  async stop(deadlineMs: number): Promise<void> {
    this.#isStopped = true;
    this.#intake.stop();
    clearTimeout(this.#pauseTimer);
    this.#reader.stop();
    await this.#work.idle(deadlineMs);
    await Promise.all(Array.from(this.#active.all(), (message) => this.#writer.writeRest(message)));
    for (const message of this.#active.all()) message.abort.abort();
  }

  /** Has everything tried now, dead destinations too (postqueue -f). */
  async flush(): Promise<void> {
    this.#scheduler.reviveAll();
    await this.#options.store.makeDue(this.#options.now());
    this.#scanFlushed();
  }

  /** Tries some messages now (postqueue -i, sendmail -qI). */
  async flushById(queueIds: readonly string[]): Promise<void> {
    this.#scheduler.reviveAll();
    await this.#intake.takeNamed(queueIds);
  }

  /** Has the mail for a domain tried now (postqueue -s, ETRN). */
  async flushSite(domain: string): Promise<void> {
    this.#scheduler.reviveAll();
    await this.#options.store.makeDue(this.#options.now(), { site: domain });
    this.#scanFlushed();
  }

  /**
   * Starts nothing more of these messages: they were deleted, or are wanted elsewhere, on hold for example. What is under
   * way comes to its end. Resolves when those of which nothing is under way have left. Never rejects.
   */
  async withdraw(queueIds: readonly string[], why: WithdrawalReason): Promise<void> {
    const settlements = await this.#withdrawal.withdraw(queueIds, why);
    this.#dispatch();
    await Promise.all(settlements);
  }

  #scanFlushed(): void {
    this.#flushes += 1;
    this.#intake.scanNow(() => {
      this.#flushes -= 1;
    });
  }

  /** Claims what waits, as far as there is room. */
  scan(): Promise<void> {
    return this.#intake.scan();
  }

  /** The same; trouble with it is told of in the log. */
  scanNow(): void {
    this.#intake.scanNow();
  }

  #accept(queued: QueuedMessage, withdrawn: WithdrawalReason | undefined, isNamed: boolean): void {
    this.#sequence += 1;
    const times = { activeAt: this.#options.now(), steadyAt: this.#steadyNow() };
    const message = new ActiveMessage(queued, times, this.#sequence, isNamed || this.#flushes > 0);
    this.#active.add(message);
    if (withdrawn !== undefined) {
      void this.#withdrawal.withdraw([queued.queueId], withdrawn);
      return;
    }
    // who forwards mail, or made a notice, says so first
    if (queued.envelope.origin === 'mail') this.#begin(message);
    else setImmediate(() => this.#begin(message));
  }

  #begin(message: ActiveMessage): void {
    if (message.abort.signal.aborted || message.isSettling) return;
    const { queued } = message;
    this.#options.events.emit({
      kind: 'active',
      queueId: queued.queueId,
      sender: queued.envelope.sender,
      sizeBytes: queued.sizeBytes,
      recipientCount: queued.envelope.recipientCount ?? queued.recipients.total,
    });
    const others = queued.envelope.origin === 'bounce' ? this.#noticeOrder.beforeNotice() : undefined;
    if (others === undefined) this.#reader.begin(message);
    else void this.#readAfter(others, message);
  }

  async #readAfter(others: Promise<unknown>, message: ActiveMessage): Promise<void> {
    await others;
    if (!message.abort.signal.aborted && !message.isSettling) this.#reader.begin(message);
  }

  /** A bug met while routing, or damage while reading: the message waits for its next turn, or is set aside. */
  #giveUp(message: ActiveMessage, recipients: readonly RequestRecipient[], error: unknown): void {
    tellTrouble(message, error, this.#options.events);
    message.giveUp(recipients, error instanceof StoreError);
    this.#space.givenUp(message);
    // what was scheduled before the bug was met still runs, and settles at its end
    if (message.isDone) void this.#settle(message);
  }

  #schedule(message: ActiveMessage, routes: readonly (Route | KnownRoute)[]): void {
    if (message.withdrawn !== 'no') {
      message.isRouting = false;
      void this.#withdrawal.takeBack(message);
      return;
    }
    this.#assignment.assign(message, routes);
    message.isRouting = false;
    if (message.isDone) {
      void this.#settle(message);
      return;
    }
    this.#writer.begin(message);
    this.#dispatch();
  }

  /** One delivery of the message less; the last one is followed by the settlement. */
  #endEntry(message: ActiveMessage): void {
    message.openEntries -= 1;
    if (message.isDone) void this.#settle(message);
    else this.#writer.begin(message);
  }

  #dispatch(): void {
    if (this.#isStopped) return;
    const now = this.#steadyNow();
    for (const { transport, entry } of this.#scheduler.startable(now)) {
      this.#work.begin();
      void this.#deliveries.deliver(transport, entry);
    }
    this.#reader.goOn(now);
    const next = Math.min(this.#scheduler.nextMoment(now) ?? Infinity, this.#space.nextMoment(now) ?? Infinity);
    if (next === Infinity) return;
    clearTimeout(this.#pauseTimer);
    this.#pauseTimer = setTimeout(() => this.#dispatch(), Math.min(next - now, longestTimerMs));
  }

  async #settle(message: ActiveMessage): Promise<void> {
    message.isSettling = true;
    this.#work.begin();
    const settled = settleOrPutBack(message, { ...this.#options, settings: this.#settings, writer: this.#writer });
    await (message.attempt.mayBeReported ? this.#noticeOrder.reporting(settled) : settled);
    this.#active.remove(message);
    this.#intake.left(message.queued);
    this.#work.end();
  }

  /** What an attempt under way knows of the recipients of a message, as far as only it knows. */
  outcomesOf(queueId: string): ReadonlyMap<number, Outcome> | undefined {
    return this.#active.get(queueId)?.attempt.known();
  }

  /** What is active, where it waits and why. */
  status(): QueueManagerStatus {
    const transports = this.#scheduler.status(this.#steadyNow(), this.#options.now());
    return { active: this.#active.count, transports, unread: this.#space.unread() };
  }
}

/** Creates the queue manager; `start` begins. */
export function createQueueManager(options: QueueManagerOptions): QueueManager {
  return new QueueManager(options);
}
