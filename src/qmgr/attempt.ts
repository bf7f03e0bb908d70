/**
 * What has become of the recipients of a message in this attempt. Of few recipients all of it stays in memory until the
 * end; of many only what is not written down yet, and which ones are known.
 */
import { setImmediate } from 'node:timers/promises';
import type { Outcome, Recipient, RequestRecipient } from '#message';
import type { QueuedMessage, RecipientPart } from '#store';
import type { NotifiedParts, NotifiedRecipient } from './report-details.ts';

/** Outcomes on their way into the store. */
export interface Findings {
  readonly outcomes: readonly Outcome[];
  /** Recipients that are done and that no report will speak of. */
  readonly done: readonly number[];
}

export interface Attempt {
  /** Some did not get the message, or somebody may want to hear that they did. */
  readonly mayBeReported: boolean;
  /** Recipients that wait. */
  readonly deferredCount: number;
  /** Something is to be written before the attempt ends. */
  readonly hasUnwritten: boolean;
  has(index: number): boolean;
  /** A success of an earlier attempt that is still to be reported. */
  isLeftOver(outcome: Outcome): boolean;
  /** `among`: holds the recipient that the outcome is about. */
  record(outcome: Outcome, among: readonly RequestRecipient[]): void;
  takeUnwritten(): Findings;
  /** They could not be written. */
  putBack(findings: Findings): void;
  /** What is in memory of it, in the order in which it became known. */
  known(): ReadonlyMap<number, Outcome>;
  /** What must not be forgotten when the attempt comes to no proper end. */
  rest(): Findings;
  /** What reports may speak of, in parts, each time anew. Of many recipients as it is in the store. */
  findings(): NotifiedParts;
}

export function beginAttempt(queued: QueuedMessage, pendingCount: number): Attempt {
  return queued.recipients.isInParts ? new AttemptOfMany(queued) : new AttemptOfFew(queued, pendingCount);
}

/** Few successes are reported: to who asked to hear of them, or was told of a delay before. */
function isReportedSuccess(
  { members }: Outcome,
  recipient: Recipient | undefined,
  { envelope, warnedAt }: QueuedMessage,
): boolean {
  if (members !== undefined || warnedAt > 0 || envelope.trace !== '' || envelope.origin === 'verify') return true;
  return recipient === undefined || recipient.notify.includes('success');
}

class AttemptOfFew implements Attempt {
  readonly #queued: QueuedMessage;
  readonly #recipients: RecipientPart;
  readonly #pendingCount: number;
  /** In the order in which they became known: so they stand in reports. */
  readonly #outcomes = new Map<number, Outcome>();
  readonly #leftOver = new Set<number>();
  #unwritten: Outcome[] = [];
  mayBeReported = false;

  constructor(queued: QueuedMessage, pendingCount: number) {
    const [list = []] = queued.recipients.all();
    this.#queued = queued;
    this.#recipients = list;
    this.#pendingCount = pendingCount;
    // whoever asked is told of aliases, whatever becomes of the addresses they stand for
    this.mayBeReported = (queued.envelope.expanded ?? []).length > 0;
    for (const { index, state, lastOutcome } of list) {
      if (state !== 'done' || lastOutcome?.isUnreported !== true) continue;
      this.#outcomes.set(index, lastOutcome);
      this.#leftOver.add(index);
      this.mayBeReported = true;
    }
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

  isLeftOver({ index }: Outcome): boolean {
    return this.#leftOver.has(index);
  }

  record(outcome: Outcome): void {
    this.#outcomes.set(outcome.index, outcome);
    const count = this.#outcomes.size - this.#leftOver.size;
    // the settlement holds the last one; a failure is tried again after a crash: its report has not been sent yet
    if (outcome.kind === 'sent' && count < this.#pendingCount) this.#unwritten.push(outcome);
    this.mayBeReported ||=
      outcome.kind !== 'sent' || isReportedSuccess(outcome, this.#recipients[outcome.index], this.#queued);
  }

  takeUnwritten(): Findings {
    return { outcomes: this.#unwritten.splice(0), done: [] };
  }

  putBack({ outcomes }: Findings): void {
    this.#unwritten.unshift(...outcomes);
  }

  known(): ReadonlyMap<number, Outcome> {
    return this.#outcomes;
  }

  rest(): Findings {
    return { outcomes: [...this.#outcomes.values()].filter(({ kind }) => kind === 'sent'), done: [] };
  }

  findings(): NotifiedParts {
    const found: NotifiedRecipient[] = [];
    for (const outcome of this.#outcomes.values()) {
      const recipient = this.#recipients[outcome.index];
      if (recipient !== undefined) found.push({ recipient, outcome });
    }
    return [found];
  }
}

const nothingKnown: ReadonlyMap<number, Outcome> = new Map();

/** All is written as it comes. What is to be reported stays in the store until it has been: a crash loses no report. */
class AttemptOfMany implements Attempt {
  readonly #queued: QueuedMessage;
  readonly #isKnown: Uint8Array;
  #outcomes: Outcome[] = [];
  #done: number[] = [];
  /** An earlier attempt may have left what is to be reported. */
  readonly mayBeReported = true;
  deferredCount = 0;

  constructor(queued: QueuedMessage) {
    this.#queued = queued;
    this.#isKnown = new Uint8Array(queued.recipients.total);
  }

  get hasUnwritten(): boolean {
    return this.#outcomes.length + this.#done.length > 0;
  }

  known(): ReadonlyMap<number, Outcome> {
    return nothingKnown;
  }

  has(index: number): boolean {
    return this.#isKnown[index] === 1;
  }

  isLeftOver({ index, kind }: Outcome): boolean {
    return kind === 'sent' && !this.has(index);
  }

  record(outcome: Outcome, among: readonly RequestRecipient[]): void {
    const { index, kind } = outcome;
    if (this.has(index)) return;
    this.#isKnown[index] = 1;
    if (kind === 'deferred') this.deferredCount += 1;
    const recipient = among.find((one) => one.index === index);
    if (kind === 'sent' && !isReportedSuccess(outcome, recipient, this.#queued)) this.#done.push(index);
    else this.#outcomes.push(outcome);
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

  async *findings(): AsyncGenerator<readonly NotifiedRecipient[]> {
    for (const part of this.#queued.recipients.withOutcomes()) {
      const found: NotifiedRecipient[] = [];
      for (const recipient of part)
        if (recipient.lastOutcome !== undefined) found.push({ recipient, outcome: recipient.lastOutcome });
      yield found;
      // the next one is read from the disk
      await setImmediate();
    }
  }
}
