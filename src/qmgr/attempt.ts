/**
 * What has become of the recipients of a message in this attempt. Of few recipients all of it stays in memory until the
 * end; of many only what is not written down yet, and which ones are known.
 */
import type { Outcome, RequestRecipient } from '#message';
import type { QueuedMessage, RecipientList } from '#store';
import type { NotifiedRecipient } from './report-details.ts';

/** Outcomes on their way into the store. */
export interface Findings {
  readonly outcomes: readonly Outcome[];
  /** Recipients that are done and that no report will speak of. */
  readonly done: readonly number[];
}

export interface Attempt {
  /** Recipients that wait. */
  readonly deferredCount: number;
  /** Something is to be written before the attempt ends. */
  readonly hasUnwritten: boolean;
  has(index: number): boolean;
  /** `among`: holds the recipient that the outcome is about. */
  record(outcome: Outcome, among: readonly RequestRecipient[]): void;
  takeUnwritten(): Findings;
  /** They could not be written. */
  putBack(findings: Findings): void;
  /** What must not be forgotten when the attempt comes to no proper end. */
  rest(): Findings;
  /** What reports may speak of, in parts, each time anew. Of many recipients as it is in the store. */
  findings(): Iterable<readonly NotifiedRecipient[]>;
}

export function beginAttempt(queued: QueuedMessage, pendingCount: number): Attempt {
  return queued.recipients.isInParts ? new AttemptOfMany(queued) : new AttemptOfFew(queued.recipients, pendingCount);
}

class AttemptOfFew implements Attempt {
  readonly #recipients: RecipientList;
  readonly #pendingCount: number;
  /** In the order in which they became known: so they stand in reports. */
  readonly #outcomes = new Map<number, Outcome>();
  #unwritten: Outcome[] = [];

  constructor(recipients: RecipientList, pendingCount: number) {
    this.#recipients = recipients;
    this.#pendingCount = pendingCount;
  }

  get deferredCount(): number {
    let count = 0;
    for (const { kind } of this.#outcomes.values()) if (kind === 'deferred') count += 1;
    return count;
  }

  get hasUnwritten(): boolean {
    return this.#unwritten.length > 0;
  }

  has(index: number): boolean {
    return this.#outcomes.has(index);
  }

  record(outcome: Outcome): void {
    this.#outcomes.set(outcome.index, outcome);
    // the settlement holds the last one; a failure is tried again after a crash: its report has not been sent yet
    if (outcome.kind === 'sent' && this.#outcomes.size < this.#pendingCount) this.#unwritten.push(outcome);
  }

  takeUnwritten(): Findings {
    return { outcomes: this.#unwritten.splice(0), done: [] };
  }

  putBack({ outcomes }: Findings): void {
    this.#unwritten.unshift(...outcomes);
  }

  rest(): Findings {
    return { outcomes: [...this.#outcomes.values()].filter(({ kind }) => kind === 'sent'), done: [] };
  }

  findings(): Iterable<readonly NotifiedRecipient[]> {
    const [list = []] = this.#recipients.all();
    const found: NotifiedRecipient[] = [];
    for (const outcome of this.#outcomes.values()) {
      const recipient = list[outcome.index];
      if (recipient !== undefined) found.push({ recipient, outcome });
    }
    return [found];
  }
}

/** All is written as it comes. What is to be reported stays in the store until it has been: a crash loses no report. */
class AttemptOfMany implements Attempt {
  readonly #queued: QueuedMessage;
  readonly #isKnown: Uint8Array;
  #outcomes: Outcome[] = [];
  #done: number[] = [];
  deferredCount = 0;

  constructor(queued: QueuedMessage) {
    this.#queued = queued;
    this.#isKnown = new Uint8Array(queued.recipients.total);
  }

  get hasUnwritten(): boolean {
    return this.#outcomes.length + this.#done.length > 0;
  }

  has(index: number): boolean {
    return this.#isKnown[index] === 1;
  }

  record(outcome: Outcome, among: readonly RequestRecipient[]): void {
    const { index, kind } = outcome;
    if (this.has(index)) return;
    this.#isKnown[index] = 1;
    if (kind === 'deferred') this.deferredCount += 1;
    if (kind === 'sent' && !this.#mayBeReported(outcome, among)) this.#done.push(index);
    else this.#outcomes.push(outcome);
  }

  /** Few successes are: who asked to hear of them, or was told of a delay before. */
  #mayBeReported({ index, members }: Outcome, among: readonly RequestRecipient[]): boolean {
    const { envelope, warnedAt } = this.#queued;
    if (members !== undefined || warnedAt > 0 || envelope.trace !== '' || envelope.origin === 'verify') return true;
    return among.some((recipient) => recipient.index === index && recipient.notify.includes('success'));
  }

  takeUnwritten(): Findings {
    const taken = { outcomes: this.#outcomes, done: this.#done };
    this.#outcomes = [];
    this.#done = [];
    return taken;
  }

  putBack({ outcomes, done }: Findings): void {
    this.#outcomes = [...outcomes, ...this.#outcomes];
    this.#done = [...done, ...this.#done];
  }

  rest(): Findings {
    return this.takeUnwritten();
  }

  *findings(): Iterable<readonly NotifiedRecipient[]> {
    for (const part of this.#queued.recipients.withOutcomes()) {
      const found: NotifiedRecipient[] = [];
      for (const recipient of part)
        if (recipient.lastOutcome !== undefined) found.push({ recipient, outcome: recipient.lastOutcome });
      yield found;
    }
  }
}
