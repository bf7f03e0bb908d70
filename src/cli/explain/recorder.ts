/** Makes steps of what a rehearsal tells, in the order it happens. */
import type { Origin } from '#config';
import type { DnsAnswer } from '#dns';
import type { MailEvent, PolicyWord } from '#events';
import type { SubmissionAction } from '#message';
import type { RehearsalOnlooker } from '#roles';
import type { Effect, PolicyEvent, Remark } from '#smtpd';
import { lookupOf, recordText } from './lookups.ts';
import type { Lookup, ReplyReport, Step } from './report.ts';

export interface RecordedStage {
  readonly command: string;
  readonly steps: Step[];
  readonly log: string[];
  reply?: ReplyReport | undefined;
}

interface OpenRestriction {
  readonly kind: 'restriction';
  readonly name: string;
  readonly argument: string;
  readonly origin: Origin | null;
  readonly warnOnly: boolean;
  readonly lookups: Lookup[];
  readonly log: string[];
  readonly actions: string[];
  readonly steps: Step[];
  answer: string;
  reply?: string;
  effect: Effect;
  avoided?: string;
}

const remarks: Readonly<Record<Remark, string>> = {
  postmaster: 'mail for postmaster without a domain is always accepted; no list is asked',
  discarded: 'the message is thrown away; no further list is asked',
  settled: 'defer_if_permit and defer_if_reject both stand: the rest of this list can change nothing',
  'deferral inherited': 'an earlier stage put a refusal off; it is said if nothing refuses for good',
  'deferral said': 'nothing refused for good, so the refusal that was put off is said now (defer_if_permit)',
  'deferral kept': 'the refusal that was put off is kept for the next stage (defer_if_permit)',
  'soft bounce': 'soft_bounce = yes: a refusal for good becomes one for now',
};

/** Words of the log that are answers; the others do something with the message. */
const verdictWords = new Set<PolicyWord>(['reject', 'reject_warning', 'permit', 'hangup']);

/** Events of every session; the steps say the same. */
const unremarkable = new Set(['connected', 'disconnected', 'client', 'messageId', 'canceled', 'lost']);

/** What the rehearsal is at: what lookups of cleanup and routing mean depends on it. */
type Phase = 'session' | 'way';

export class Recorder implements RehearsalOnlooker {
  readonly #originOf: (parameter: string) => Origin | undefined;
  #stages: RecordedStage[] = [];
  #open: Step[][] = [];
  #current: OpenRestriction | undefined;
  /** The one whose answer is being settled: what is logged now is about it. */
  #settling: OpenRestriction | undefined;
  #actions: SubmissionAction[] = [];
  #phase: Phase = 'session';
  #lookups: Lookup[] = [];
  #warnings: string[] = [];

  constructor(originOf: (parameter: string) => Origin | undefined) {
    this.#originOf = originOf;
  }

  /** A new conversation. */
  reset(): void {
    this.#stages = [];
    this.#actions = [];
    this.#phase = 'session';
    this.begin('CONNECT');
  }

  /** What is told from now on belongs to this command. */
  begin(command: string): void {
    const stage = { command, steps: [], log: [] };
    this.#stages.push(stage);
    this.#open = [stage.steps];
    this.#current = undefined;
    this.#settling = undefined;
  }

  answer(reply: ReplyReport | undefined): void {
    if (this.#stage !== undefined) this.#stage.reply = reply;
  }

  get stages(): readonly RecordedStage[] {
    return this.#stages;
  }

  get actions(): readonly SubmissionAction[] {
    return this.#actions;
  }

  /** From now on the way of a recipient is told. */
  beginWay(): void {
    this.#phase = 'way';
    this.#lookups = [];
    this.#warnings = [];
  }

  get way(): { readonly lookups: readonly Lookup[]; readonly warnings: readonly string[] } {
    return { lookups: this.#lookups, warnings: this.#warnings };
  }

  get #stage(): RecordedStage | undefined {
    return this.#stages.at(-1);
  }

  policy(event: PolicyEvent): void {
    const stage = this.#stage;
    if (stage === undefined) return;
    this.#settling = undefined;
    switch (event.kind) {
      case 'stage':
        return;
      case 'list': {
        const steps: Step[] = [];
        if (event.length > 0)
          stage.steps.push({
            kind: 'list',
            parameter: event.parameter,
            origin: this.#originOf(event.parameter) ?? null,
            steps,
          });
        this.#open = [steps];
        this.#current = undefined;
        return;
      }
      case 'asked': {
        const { name, argument, origin = null, warnOnly } = event.restriction;
        const step: OpenRestriction = {
          kind: 'restriction',
          name,
          argument,
          origin,
          warnOnly,
          lookups: [],
          log: [],
          actions: [],
          steps: [],
          answer: '',
          effect: 'next',
        };
        this.#open.at(-1)?.push(step);
        this.#current = step;
        return;
      }
      case 'answered':
        this.#answered(event);
        return;
      case 'left':
        this.#open.pop();
        this.#current = undefined;
        return;
      case 'remark':
        (event.remark === 'settled' ? this.#open.at(-1) : stage.steps)?.push({
          kind: 'remark',
          text: remarks[event.remark],
        });
        return;
    }
  }

  #answered({ decision, effect }: PolicyEvent & { readonly kind: 'answered' }): void {
    const step = this.#current;
    if (step === undefined) return;
    const names = { deferIfPermit: 'defer_if_permit', deferIfReject: 'defer_if_reject' } as const;
    const { kind } = decision;
    step.answer = kind === 'deferIfPermit' || kind === 'deferIfReject' ? names[kind] : kind;
    step.effect = effect;
    if ('text' in decision) {
      const { code, dsn, text } = decision;
      // the class of the status code follows the reply code, whatever the rule says
      step.reply = `${code} ${Math.floor(code / 100)}${dsn.slice(1)} ${text}`;
    }
    if (effect === 'list') this.#open.push(step.steps);
    this.#current = undefined;
    this.#settling = step;
  }

  avoided(reason: string): void {
    if (this.#current !== undefined) this.#current.avoided = reason;
  }

  table(...[question, asker]: Parameters<RehearsalOnlooker['table']>): void {
    const lookup = lookupOf(question, asker);
    if (this.#phase === 'way') this.#addNew(lookup);
    else if (this.#current !== undefined) this.#addTo(this.#current.lookups, lookup);
    // what else the session asks lists about is whom it trusts with XCLIENT and the like
    else if (asker === 'smtpd' && question.kind === 'table') this.#stage?.steps.push({ kind: 'lookup', lookup });
  }

  /** `proxy:` tells the lookup of the table behind it once more. */
  #addTo(lookups: Lookup[], lookup: Lookup): void {
    const last = lookups.at(-1);
    const isRepeated = last?.key === lookup.key && lookup.where === `proxy:${last.where}`;
    if (isRepeated) lookups.pop();
    lookups.push(lookup);
  }

  /** Cleanup and routing ask the same several times over. */
  #addNew(lookup: Lookup): void {
    const isKnown = this.#lookups.some((known) => known.where === lookup.where && known.key === lookup.key);
    if (!isKnown) this.#addTo(this.#lookups, lookup);
  }

  dns(name: string, type: string, answer: DnsAnswer): void {
    const text = answer.kind === 'ok' ? answer.records.map(recordText).join(', ') : answer.reason;
    this.#network({ kind: 'dns', asker: 'smtpd', where: type, key: name, found: answer.kind === 'ok', answer: text });
  }

  host(question: string, answer: string): void {
    this.#network({ kind: 'host', asker: 'smtpd', where: 'host', key: question, found: true, answer });
  }

  #network(lookup: Lookup): void {
    if (this.#phase === 'way') this.#lookups.push(lookup);
    else if (this.#current !== undefined) this.#current.lookups.push(lookup);
    else this.#stage?.steps.push({ kind: 'lookup', lookup });
  }

  log(event: MailEvent, text: string): void {
    if (unremarkable.has(event.kind)) return;
    if (event.kind === 'policy' && !verdictWords.has(event.word)) this.#current?.actions.push(event.word);
    if (this.#phase === 'way') {
      if (event.kind === 'warning') this.#warnings.push(text);
    } else (this.#current ?? this.#settling ?? this.#stage)?.log.push(text);
  }

  action(action: SubmissionAction): void {
    const isKnown = this.#actions.some((known) => JSON.stringify(known) === JSON.stringify(action));
    if (!isKnown) this.#actions.push(action);
  }
}
