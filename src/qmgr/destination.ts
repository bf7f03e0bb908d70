/**
 * A destination: (transport, nexthop), with its concurrency window, feedback, and why and until when it waits.
 * qmgr(8), SCHEDULER_README
 */
import type { MailEvent } from '#events';
import type { Status } from '#message';
import { BackToBack } from './back-to-back.ts';
import { feedbackAt } from './feedback.ts';
import { PeerLine } from './peer-line.ts';
import type { TransportSettings } from './settings.ts';

export class Destination {
  readonly key: string;
  readonly nexthop: string;
  readonly settings: TransportSettings;
  readonly backToBack: BackToBack;
  /** Who waits for it, in the order of the job list. */
  readonly line = new PeerLine();
  /** Entries in the line. */
  waitingCount = 0;
  busy = 0;
  /** Its place among the destinations that can start a delivery; negative: it is not there. */
  readyAt = -1;
  window: number;
  /** On the clock of the schedule (`steady-clock.ts`): nothing is started before (rate delay). */
  pausedUntil = 0;
  /** On the same clock: the site is taken for dead until then, and its mail is deferred at once. */
  deadUntil = 0;
  /** What its mail is deferred with. */
  deadReason: Status | undefined;
  #success = 0;
  #failure = 0;
  #failedCohorts = 0;

  /** `backToBack`: what is known of deliveries to it from a moment ago. */
  constructor(key: string, nexthop: string, settings: TransportSettings, backToBack = new BackToBack()) {
    this.key = key;
    this.nexthop = nexthop;
    this.settings = settings;
    this.backToBack = backToBack;
    this.window = settings.initialConcurrency;
  }

  canStart(now: number): boolean {
    if (now < this.pausedUntil) return false;
    return this.busy < this.window;
  }

  get isIdle(): boolean {
    return this.busy === 0 && this.waitingCount === 0;
  }

  /** The reason with which its mail is deferred; undefined when it is alive. A site whose time is over starts anew. */
  deadFor(now: number): Status | undefined {
    if (this.deadReason !== undefined && now >= this.deadUntil) this.revive();
    return this.deadReason;
  }

  /** Forgets that the site was dead and starts over with the initial window. */
  revive(): void {
    this.deadReason = undefined;
    this.deadUntil = 0;
    this.window = this.settings.initialConcurrency;
    this.#success = 0;
    this.#failure = 0;
    this.#failedCohorts = 0;
  }

  /** A delivery without a failure of the site. Gives the feedback that was applied; undefined: the window stays. */
  onSuccess(): number | undefined {
    const { concurrencyLimit, positiveFeedback, initialConcurrency } = this.settings;
    this.#failedCohorts = 0;
    if (this.deadReason !== undefined) {
      this.revive();
      if (this.busy > 0) this.window = this.busy;
      return undefined;
    }
    const isAtLimit = concurrencyLimit > 0 && this.window >= concurrencyLimit;
    if (isAtLimit || this.window >= this.busy + initialConcurrency) return undefined;
    const feedback = feedbackAt(positiveFeedback, this.window);
    this.#success += feedback;
    while (this.#success + feedback / 2 >= 1) {
      this.window += 1;
      this.#success -= 1;
      this.#failure = 0;
    }
    if (concurrencyLimit > 0) this.window = Math.min(this.window, concurrencyLimit);
    return feedback;
  }

  /**
   * The whole site failed. After `failedCohortLimit` windows full of failures it is dead for `deadMs`. Gives the
   * feedback that was applied; undefined: it is dead.
   */
  onSiteFailure(reason: Status, now: number, deadMs: number): number | undefined {
    const { failedCohortLimit, negativeFeedback } = this.settings;
    if (this.deadReason === undefined) this.#failedCohorts += 1 / this.window;
    if (failedCohortLimit > 0 && this.#failedCohorts >= failedCohortLimit) {
      this.deadReason = { code: reason.code, reason: `delivery temporarily suspended: ${reason.reason}` };
      this.deadUntil = now + deadMs;
      return undefined;
    }
    const feedback = feedbackAt(negativeFeedback, this.window);
    this.#failure -= feedback;
    while (this.#failure - feedback / 2 < 0) {
      this.window -= 1;
      this.#failure += 1;
      this.#success = 0;
    }
    this.window = Math.max(1, this.window);
    return feedback;
  }

  /** What the feedback goes by. destination_concurrency_feedback_debug */
  get concurrency(): Omit<Extract<MailEvent, { readonly kind: 'window' }>, 'kind' | 'step'> {
    return {
      destination: this.key,
      limit: this.settings.concurrencyLimit,
      window: this.deadReason === undefined ? this.window : 0,
      success: this.#success,
      failure: this.#failure,
      failedCohorts: this.#failedCohorts,
    };
  }
}
