/**
 * One stage under way: runs its lists left to right, remembers what is put off, logs what is decided. SMTPD_ACCESS_README
 */
import type { EventChannel, PolicyWord } from '#events';
import type { MaybePromise, SubmissionAction } from '#message';
import type { MatchList } from '#tables';
import type { Deferral, PolicyResult, SessionFacts, Stage } from '../policy.ts';
import type { Keys } from './access-keys.ts';
import { askAhead, isDnsList } from './dns-lists.ts';
import { type Effect, effectOf, type PolicyOnlooker } from './onlooker.ts';
import type { Decision, Evaluation, Permitted, Restriction, Toolbox } from './restriction.ts';
import { policyEvent, refusalText } from './refusal.ts';
import { rememberRoutes, type Route } from './routing.ts';
import { clientDatum, subjectMaker } from './subjects.ts';

export interface List {
  readonly parameter: string;
  readonly restrictions: readonly Restriction[];
  readonly replyClass: string;
  readonly datum: (facts: SessionFacts) => string;
}

export interface RunParts {
  readonly toolbox: Toolbox;
  readonly events: EventChannel;
  readonly softBounce: boolean;
  readonly smtputf8: boolean;
  /** smtpd_log_access_permit_actions */
  readonly loggedPermits: MatchList;
  readonly onlooker: PolicyOnlooker | undefined;
}

type Decided<K extends Decision['kind']> = Decision & { readonly kind: K };

/** What ends more than a list. */
export type Ending = Exclude<PolicyResult, { readonly kind: 'accept' }>;

export type Outcome = 'permit' | 'dunno' | Ending;

/** After these nothing else of a list is reached. */
const closing = new Set(['permit', 'reject', 'defer']);

const senderCheck = 'reject_unlisted_sender';

export class StageRun {
  readonly facts: SessionFacts;
  readonly actions: SubmissionAction[] = [];
  deferIfPermit: Deferral | undefined;
  #deferIfReject: Deferral | undefined;
  readonly #parts: RunParts;
  readonly #route: Route;
  readonly #keys = new Map<string, Keys>();
  readonly #stage: Stage;
  /** Existence checks that counted; they are made once a stage. */
  readonly #checked = new Set<string>();

  constructor(parts: RunParts, stage: Stage, facts: SessionFacts) {
    this.#parts = parts;
    this.#route = rememberRoutes(parts.toolbox.rewriter);
    this.#stage = stage;
    this.facts = facts;
  }

  /** What is thrown away may be from and for anybody. */
  get isDiscarded(): boolean {
    return this.facts.isDiscarded || this.actions.some(({ kind }) => kind === 'discard');
  }

  hasChecked(name: string): boolean {
    return this.#checked.has(name) || (name === senderCheck && this.facts.memory.hasCheckedSender === true);
  }

  #noteChecked(name: string): void {
    this.#checked.add(name);
    if (name === senderCheck) this.facts.memory.hasCheckedSender = true;
  }

  /** A group of lists begins: a defer_if_reject of the one before is over. */
  beginGroup(): void {
    this.#deferIfReject = undefined;
  }

  /** Runs a list to its end, or to what ends it. */
  list({ parameter, restrictions, replyClass, datum }: List, isImplicit = false): MaybePromise<Outcome> {
    const { onlooker } = this.#parts;
    onlooker?.tell({ kind: 'list', parameter, length: restrictions.length, isImplicit });
    if (restrictions.length === 0) return 'dunno';
    return this.#run(restrictions, this.#evaluation(replyClass, datum(this.facts)), false);
  }

  /** Says what was put off. */
  refuseDeferred({ code, dsn, text }: Deferral): Ending {
    this.#parts.onlooker?.tell({ kind: 'remark', remark: 'deferral said' });
    return this.#refuse({ kind: 'reject', code, dsn, text });
  }

  #evaluation(replyClass: string, datum: string): Evaluation {
    return {
      facts: this.facts,
      stage: this.#stage,
      subject: { replyClass, datum },
      route: this.#route,
      keys: this.#keys,
      depth: 0,
      tableDepth: 0,
      isHeld: () => this.facts.isHeld || this.actions.some(({ kind }) => kind === 'hold'),
      act: (action) => void this.actions.push(action),
      log: (word, text) => this.#log(word, text),
      warn: (text) => this.#warn(text),
      note: (text) => this.note(text),
    };
  }

  async #run(restrictions: readonly Restriction[], evaluation: Evaluation, isSoftened: boolean): Promise<Outcome> {
    let hasAsked = false;
    for (const [i, restriction] of restrictions.entries()) {
      if (this.isDiscarded) return 'dunno';
      // an onlooker hears of each answer where it is asked for
      if (!hasAsked && this.#parts.onlooker === undefined && isDnsList(restriction.name)) {
        askAhead(restrictions.slice(i), evaluation, this.#parts.toolbox);
        hasAsked = true;
      }
      const warnOnly = isSoftened || restriction.warnOnly;
      const ran = this.#runOne(restriction, evaluation, warnOnly);
      const outcome = ran instanceof Promise ? await ran : ran;
      const next = restrictions[i + 1];
      if (next !== undefined && closing.has(restriction.name) && (!warnOnly || outcome === 'permit'))
        this.#warn(`restriction \`${next.firstWord}' after \`${restriction.name}' is ignored`);
      if (outcome !== 'dunno') return outcome;
      if (this.deferIfPermit !== undefined && this.#deferIfReject !== undefined) {
        // whatever comes now, the answer is settled
        this.#parts.onlooker?.tell({ kind: 'remark', remark: 'settled' });
        return 'dunno';
      }
    }
    return 'dunno';
  }

  #runOne(restriction: Restriction, evaluation: Evaluation, warnOnly: boolean): MaybePromise<Outcome> {
    const { onlooker } = this.#parts;
    const isExistenceCheck = restriction.name.startsWith('reject_unlisted_');
    if (isExistenceCheck && this.hasChecked(restriction.name)) return 'dunno';
    if (isExistenceCheck && !warnOnly) this.#noteChecked(restriction.name);
    onlooker?.tell({ kind: 'asked', restriction });
    const answer = onlooker?.instead(restriction) ?? restriction.evaluate(evaluation);
    return answer instanceof Promise
      ? answer.then((decision) => this.#onAnswer(decision, restriction, evaluation, warnOnly))
      : this.#onAnswer(answer, restriction, evaluation, warnOnly);
  }

  #onAnswer(
    given: Decision,
    restriction: Restriction,
    evaluation: Evaluation,
    warnOnly: boolean,
  ): MaybePromise<Outcome> {
    const { onlooker } = this.#parts;
    const decision = onlooker?.reviewed(given) ?? given;
    const effect = onlooker === undefined ? undefined : this.#effectOf(decision, warnOnly);
    if (effect !== undefined) onlooker?.tell({ kind: 'answered', restriction, decision, effect, isSoftened: warnOnly });
    return decision.kind === 'dunno' ? 'dunno' : this.#settle(decision, restriction, evaluation, warnOnly);
  }

  async #settle(
    decision: Decision,
    restriction: Restriction,
    evaluation: Evaluation,
    warnOnly: boolean,
  ): Promise<Outcome> {
    switch (decision.kind) {
      case 'dunno':
        return 'dunno';
      case 'permit':
        await this.#logPermit(restriction, decision, evaluation);
        return this.#permit(decision.permitted, restriction, evaluation, warnOnly);
      case 'deferIfPermit':
        if (warnOnly) this.#log('reject_warning', this.#replyOf(decision));
        else this.deferIfPermit ??= decision;
        return 'dunno';
      case 'deferIfReject':
        this.#deferIfReject ??= decision;
        return 'dunno';
      case 'list': {
        const subject = decision.subject ?? evaluation.subject;
        const within = {
          ...evaluation,
          subject,
          depth: evaluation.depth + 1,
          tableDepth: evaluation.tableDepth + (decision.subject === undefined ? 0 : 1),
        };
        const outcome = await this.#run(decision.restrictions, within, warnOnly);
        this.#parts.onlooker?.tell({ kind: 'left', restriction });
        return outcome === 'permit' ? this.#permit(decision.permitted, restriction, evaluation, warnOnly) : outcome;
      }
      case 'reject':
        if (!warnOnly || decision.isOurs === true) return this.#refuse(decision);
        this.#log('reject_warning', this.#replyOf(decision));
        return 'dunno';
      case 'abandon':
        if (decision.note !== undefined) this.#log('hangup', decision.note);
        return decision.fatal === undefined ? { kind: 'abandon' } : { kind: 'abandon', fatal: decision.fatal };
    }
  }

  async #permit(
    permitted: Permitted | undefined,
    restriction: Restriction,
    evaluation: Evaluation,
    warnOnly: boolean,
  ): Promise<Outcome> {
    // who throws a message away has permitted nothing
    if (permitted === undefined || this.isDiscarded) return 'permit';
    return this.#settle(permitted(evaluation.warn), restriction, evaluation, warnOnly);
  }

  #refuse(decision: Decided<'reject'>): Ending {
    const deferred = decision.code >= 500 ? this.#deferIfReject : undefined;
    const final = deferred ?? decision;
    if (this.#parts.softBounce && final.code >= 500)
      this.#parts.onlooker?.tell({ kind: 'remark', remark: 'soft bounce' });
    const reply = this.#replyOf(final);
    this.#log('reject', reply);
    return { kind: 'reject', reply, hangsUp: /^[45]21/.test(reply), actions: this.actions };
  }

  #replyOf(refusal: Deferral): string {
    const { softBounce, smtputf8 } = this.#parts;
    return refusalText(refusal, { softBounce, smtputf8, warn: (text) => this.#warn(text) });
  }

  async #logPermit({ name, written }: Restriction, { as }: Decided<'permit'>, { subject }: Evaluation): Promise<void> {
    const { loggedPermits } = this.#parts;
    const { action, place } = as ?? { action: written, place: '' };
    // a permit that an earlier deferral overrules is none
    if (action === '' || loggedPermits.isEmpty || this.deferIfPermit !== undefined) return;
    if ((await loggedPermits.matches(action)) !== 'yes') return;
    // those about the client speak of it in whatever list they stand
    const isAboutClient = /^permit_(?:mynetworks|inet_interfaces|sasl|tls|dnswl|rhswl)/.test(name);
    const { replyClass, datum } = isAboutClient
      ? { replyClass: 'Client host', datum: clientDatum(this.facts) }
      : (subjectMaker(name)?.(this.facts) ?? subject);
    this.#log('permit', `action=${action} for ${replyClass}=${datum} ${place}`);
  }

  #effectOf(decision: Decision, warnOnly: boolean): Effect {
    return effectOf(decision, {
      warnOnly,
      isPutOff: this.deferIfPermit !== undefined,
      softensRefusals: this.#deferIfReject !== undefined,
    });
  }

  note(text: string): void {
    this.#parts.events.emit({ kind: 'note', text });
  }

  #warn(text: string): void {
    this.#parts.events.emit({ kind: 'warning', text });
  }

  #log(word: PolicyWord, text: string): void {
    this.#parts.events.emit(policyEvent(this.facts, word, text));
  }
}
