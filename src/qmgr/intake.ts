/**
 * How messages become active: handed over by the store as they arrive, or claimed when there is room, from incoming and
 * deferred in turn, so that neither holds up the other. qmgr(8)
 *
 * There is room for qmgr_message_active_limit messages. What of their recipients is in memory, all of few or a part of
 * many, has a bound together as well: what has at most qmgr_message_recipient_minimum of them always gets in.
 */
import { thrownText } from '#native';
import type { WithdrawalReason } from './active.ts';
import { earlyMs } from './backoff.ts';
import { ComingMessages } from './coming-messages.ts';
import { longestTimerMs } from '#message';
import type { QueuedMessage, QueueStore } from '#store';
import type { InFlow } from './in-flow.ts';
import type { QmgrSettings } from './settings.ts';

export interface IntakeOptions {
  readonly store: QueueStore;
  readonly settings: Pick<QmgrSettings, 'activeLimit' | 'recipientLimit' | 'recipientMinimum' | 'queueRunDelayMs'>;
  readonly now: () => number;
  readonly inFlow: InFlow;
  /** A message of ours from now on, and the reason for which it was withdrawn on its way. `isNamed`: it was asked for. */
  readonly accept: (message: QueuedMessage, withdrawn: WithdrawalReason | undefined, isNamed: boolean) => void;
  /** Before each scan. */
  readonly prepare: () => void;
  readonly warn: (text: string) => void;
}

/** Messages claimed at once from each queue: few at first, because nobody knows how large they are. */
const firstClaim = 8;
const largestClaim = 100;
/** A message that there is no room for is looked at again after that, or when another large one has left. */
const putBackMs = 60_000;
const mostRemembered = 1000;

/** Messages of two queues, one of each in turn. */
function inTurn<T>(first: readonly T[], second: readonly T[]): readonly T[] {
  if (second.length === 0) return first;
  const longer = Math.max(first.length, second.length);
  return Array.from({ length: longer }, (_, at) => [...first.slice(at, at + 1), ...second.slice(at, at + 1)]).flat();
}

export class Intake {
  readonly #options: IntakeOptions;
  readonly #coming = new ComingMessages();
  /** Recipients of all messages that have many. */
  readonly #largeLimit: number;
  #timer: NodeJS.Timeout | undefined;
  #isOpen = false;
  #isClaiming = false;
  #messages = 0;
  /** Places for what a claim under way may bring. */
  #reserved = 0;
  #largeRecipients = 0;
  #scanning: Promise<void> | undefined;
  #scanAgain = false;
  #incomingWaits = true;
  /** Messages that were put back, the oldest first. */
  readonly #putBackIds: string[] = [];
  #nextFirst: 'incoming' | 'deferred' = 'incoming';

  constructor(options: IntakeOptions) {
    this.#options = options;
    const { activeLimit, recipientLimit, recipientMinimum } = options.settings;
    this.#largeLimit = Math.max(recipientLimit, recipientMinimum * activeLimit);
  }

  start(): void {
    this.#isOpen = true;
    this.#isClaiming = true;
    this.#options.store.onQueued((message) => {
      if (!this.#isOpen || this.#room === 0 || !this.#fits(message)) {
        // it becomes visible in incoming after this call
        this.#incomingWaits = true;
        this.#scanAgain = true;
        this.#options.inFlow.fellBehind();
        return false;
      }
      this.#options.inFlow.took(1);
      this.#take(message);
      return true;
    });
    const { queueRunDelayMs } = this.#options.settings;
    this.#timer = setInterval(() => this.scanNow(), Math.min(queueRunDelayMs, longestTimerMs));
    this.scanNow();
  }

  stop(): void {
    this.#isOpen = false;
    this.retire();
  }

  /** Leaves what waits to another one; what arrives here is still taken. */
  retire(): void {
    this.#isClaiming = false;
    clearInterval(this.#timer);
  }

  /** Messages asked for by their names come in whatever the room. */
  async takeNamed(queueIds: readonly string[]): Promise<void> {
    await this.#coming.bring(this.#options.store.claimById(queueIds), (message, withdrawn) =>
      this.#take(message, withdrawn, true),
    );
  }

  /** A message that is not active, and that a claim under way may bring, is not to be delivered. */
  withdraw(queueId: string, why: WithdrawalReason): void {
    this.#coming.withdraw(queueId, why);
  }

  /** A message is active no more. */
  left(message: QueuedMessage): void {
    this.#messages -= 1;
    if (this.#isLarge(message)) {
      this.#largeRecipients -= message.recipients.heldCount;
      const next = this.#putBackIds.shift();
      if (next !== undefined && this.#isClaiming) void this.#tell(this.#takeUp(next));
    }
    const isRoomy = this.#messages <= this.#options.settings.activeLimit * 0.9;
    if (this.#isClaiming && this.#incomingWaits && isRoomy && this.#room > 0) this.scanNow();
  }

  /**
   * Claims what waits in incoming, and what is due in deferred, as far as there is room. While that is under way, it is
   * done once more, for all who asked meanwhile; resolves after that.
   */
  scan(): Promise<void> {
    if (this.#scanning === undefined) this.#scanning = this.#claimWhileAsked();
    else this.#scanAgain = true;
    return this.#scanning;
  }

  async #claimWhileAsked(): Promise<void> {
    try {
      do {
        this.#scanAgain = false;
        await this.#claimAll();
      } while (this.#scanAgain);
    } finally {
      this.#scanning = undefined;
    }
  }

  scanNow(onEnd: () => void = () => undefined): void {
    const isUnderWay = this.#scanning !== undefined;
    const scan = this.scan().finally(onEnd);
    // who began it tells of trouble
    void (isUnderWay ? scan.catch(() => undefined) : this.#tell(scan));
  }

  #tell(work: Promise<void>): Promise<void> {
    return work.catch((error: unknown) => this.#warnOfScan(error));
  }

  #warnOfScan(error: unknown): void {
    this.#options.warn(`cannot scan the queue: ${thrownText(error)}`);
  }

  get #room(): number {
    return Math.max(0, this.#options.settings.activeLimit - this.#messages - this.#reserved);
  }

  #isLarge({ recipients }: QueuedMessage): boolean {
    return recipients.heldCount > this.#options.settings.recipientMinimum;
  }

  /** A single message may have more recipients than the limit. */
  #fits(message: QueuedMessage): boolean {
    if (!this.#isLarge(message) || this.#largeRecipients === 0) return true;
    return this.#largeRecipients + message.recipients.heldCount <= this.#largeLimit;
  }

  #take(message: QueuedMessage, withdrawn?: WithdrawalReason, isNamed = false): void {
    this.#messages += 1;
    if (this.#isLarge(message)) this.#largeRecipients += message.recipients.heldCount;
    this.#options.accept(message, withdrawn, isNamed);
  }

  async #claimAll(): Promise<void> {
    this.#options.prepare();
    this.#incomingWaits = false;
    let pair = firstClaim;
    // what comes back to deferred meanwhile is for the next scan; what comes to incoming is for this one
    const dueBy = this.#options.now() + earlyMs;
    for (let more = true; more && this.#isClaiming;) {
      this.#reserved = Math.min(this.#room, 2 * pair);
      if (this.#reserved === 0) {
        this.#incomingWaits = true;
        return;
      }
      const claim = this.#claimInTurn(this.#reserved, dueBy).finally(() => {
        this.#reserved = 0;
      });
      const messages = await this.#takeOrPutBack(claim);
      more = messages.length > 0;
      pair = messages.some((message) => this.#isLarge(message)) ? 1 : Math.min(pair * 2, largestClaim);
    }
  }

  /** One of each queue in turn; when there is room for a single one, it is the other queue's next time. */
  async #claimInTurn(places: number, dueBy: number): Promise<readonly QueuedMessage[]> {
    const first = this.#nextFirst;
    const second = first === 'incoming' ? 'deferred' : 'incoming';
    const ahead = await this.#claim(first, dueBy, Math.ceil(places / 2));
    const rest = Math.min(Math.ceil(places / 2), places - ahead.length);
    const after = await this.#claim(second, dueBy, rest).catch((error: unknown) => {
      // those ahead are ours by now: nobody else would take them
      if (ahead.length === 0) throw error;
      this.#warnOfScan(error);
      return [];
    });
    if (ahead.length > after.length) this.#nextFirst = second;
    return inTurn(ahead, after);
  }

  async #claim(from: 'incoming' | 'deferred', dueBy: number, limit: number): Promise<readonly QueuedMessage[]> {
    const { store, now, inFlow } = this.#options;
    if (limit === 0) return [];
    const messages = await store.claim(from, from === 'deferred' ? dueBy : now(), limit);
    if (from === 'incoming') {
      inFlow.took(messages.length);
      if (messages.length < limit) inFlow.caughtUp();
    }
    return messages;
  }

  /** What has too many recipients beside those of the others waits in deferred. Gives all that was claimed. */
  async #takeOrPutBack(claim: Promise<readonly QueuedMessage[]>): Promise<readonly QueuedMessage[]> {
    const { store, now } = this.#options;
    const unfit: QueuedMessage[] = [];
    const messages = await this.#coming.bring(claim, (message, withdrawn) => {
      if (withdrawn !== undefined || this.#fits(message)) this.#take(message, withdrawn);
      else unfit.push(message);
    });
    for (const message of unfit) {
      const { queueId } = message;
      try {
        await store.settle({ queueId, outcomes: [], next: { kind: 'deferred', dueAt: now() + putBackMs } });
      } catch (error) {
        // better too many than one that nobody works on
        this.#options.warn(`${queueId}: cannot be put back: ${thrownText(error)}`);
        this.#take(message);
        continue;
      }
      // there may be room since it was begun; those behind it are ours, whatever becomes of it
      if (this.#fits(message)) await this.#tell(this.#takeUp(queueId));
      else if (this.#putBackIds.length < mostRemembered && !this.#putBackIds.includes(queueId))
        this.#putBackIds.push(queueId);
    }
    return messages;
  }

  async #takeUp(queueId: string): Promise<void> {
    await this.#takeOrPutBack(this.#options.store.claimById([queueId]));
  }
}
