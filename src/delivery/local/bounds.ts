/**
 * What one recipient may cost, whatever its aliases and files hold: Postfix has a process for each delivery, which may
 * become large or never end; here the deliveries of all users share one.
 */
import { setImmediate } from 'node:timers/promises';
import type { MaybePromise, MemberOutcome } from '#message';

/** Of aliases and .forward files; here of include files, too, since each is open until what it includes is done. */
export const maxNesting = 100;

/** A list may be very long: others have their turn between. */
const stepsInATurn = 200;

/** In the lists of one recipient together: enough for some millions of members. Files that include themselves under ever new names come to an end, too. */
export const mostSteps = 20_000_000;

/** So ten thousand files can be included. */
const stepsForAFile = 2000;

/** A step is a member, or so much text that was looked through for them. */
const textForAStep = 16;

/** Counts what an expansion takes. A promise means: wait. */
export class ExpansionSteps {
  #left: number;
  #inTurn = 0;

  constructor(most: number) {
    this.#left = most;
  }

  get areUsedUp(): boolean {
    return this.#left <= 0;
  }

  takeMember(): MaybePromise<void> {
    return this.#take(1);
  }

  /** `length`: of the text. */
  takeText(length: number): MaybePromise<void> {
    return this.#take(Math.floor(length / textForAStep));
  }

  /** For a piece of a long list. */
  takePiece(): MaybePromise<void> {
    return this.#take(stepsInATurn);
  }

  takeFile(): MaybePromise<void> {
    return this.#take(stepsForAFile);
  }

  #take(count: number): MaybePromise<void> {
    this.#left -= count;
    this.#inTurn += count;
    if (this.#inTurn < stepsInATurn) return undefined;
    this.#inTurn = 0;
    return setImmediate();
  }
}

/** Things done already, so that none is done twice; upper and lower case are the same. */
export class DoneBefore {
  readonly #most: number;
  readonly #things = new Set<string>();
  readonly #files = new Set<string>();

  /** duplicate_filter_limit; 0: no limit. */
  constructor(most: number) {
    this.#most = most === 0 ? Number.POSITIVE_INFINITY : most;
  }

  /** True the first time; later ones are not noted once there are many. */
  isNew(what: string): boolean {
    const key = what.toLowerCase();
    if (this.#things.has(key)) return false;
    if (this.#things.size < this.#most) this.#things.add(key);
    return true;
  }

  /** Expansions are always noted: files may name each other in a circle. */
  isNewExpansion(what: string): boolean {
    const key = what.toLowerCase();
    if (this.#files.has(key)) return false;
    this.#files.add(key);
    return true;
  }

  hasExpansion(what: string): boolean {
    return this.#files.has(what.toLowerCase());
  }
}

/** Of the text of outcomes: a report that names more addresses helps nobody, and each of them has its line in the log. */
const mostText = 4 * 1024 * 1024;
/** What an outcome takes beside its text. */
const textOfNone = 200;

/** What became of the members of an expansion: all of few, of many the first ones and the first of each kind. */
export class MemberOutcomes {
  readonly #list: MemberOutcome[] = [];
  readonly #kinds = new Set<MemberOutcome['kind']>();
  #text = 0;
  #deferred = 0;

  get list(): readonly MemberOutcome[] {
    return this.#list;
  }

  /** How many members are to be tried again. */
  get deferred(): number {
    return this.#deferred;
  }

  add(outcome: MemberOutcome): void {
    if (outcome.kind === 'deferred') this.#deferred += 1;
    if (this.#text >= mostText && this.#kinds.has(outcome.kind)) return;
    this.#kinds.add(outcome.kind);
    this.#list.push(outcome);
    this.#text += textOfNone + outcome.address.length + outcome.status.reason.length;
  }
}
