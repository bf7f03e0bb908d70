/** What the session asks of the restrictions: runs the lists of a stage, and keeps what one stage leaves for the next. SMTPD_ACCESS_README */
import { type MaybePromise, whenReady } from '#message';
import type { PolicyChecks, PolicyResult, SessionFacts, Stage } from '../policy.ts';
import { oldDefaultNote } from './old-defaults.ts';
import type { PolicyOnlooker } from './onlooker.ts';
import { parseRestrictions } from './program.ts';
import type { Toolbox } from './restriction.ts';
import { type Group, hasSubject, readLists, type StageLists } from './stage-lists.ts';
import { type List, type Outcome, type RunParts, StageRun } from './stage-run.ts';
import { groupsByStage, inheritedDeferral } from './stages.ts';
import { createToolbox, type ToolboxOptions } from './toolbox.ts';

export type PolicyOptions = ToolboxOptions & {
  /** An onlooker; absent in real sessions. */
  readonly onlooker?: PolicyOnlooker;
};

/** Reads the restrictions of a service and opens their tables. */
export function createPolicyChecks(options: PolicyOptions): PolicyChecks {
  const { settings, tables, events, onlooker } = options;
  const permitNames = 'smtpd_log_access_permit_actions';
  const toolbox = createToolbox(options);
  const lists = readLists(toolbox);
  // Tables that classes name are opened now too, not when the first message needs them.
  for (const name of settings.list('smtpd_restriction_classes')) {
    parseRestrictions(settings.elements(name), toolbox, { bareTable: '' });
  }
  return new RestrictionChecks(lists, {
    toolbox,
    events,
    softBounce: settings.bool('soft_bounce'),
    smtputf8: settings.bool('smtputf8_enable'),
    loggedPermits: tables.matchList(permitNames, 'string', settings.elements(permitNames)),
    onlooker,
  });
}

class RestrictionChecks implements PolicyChecks {
  readonly #lists: StageLists;
  readonly #parts: RunParts;
  readonly #toolbox: Toolbox;
  /** Refusals wait for RCPT, which runs the lists of the stages before it, too. smtpd_delay_reject */
  readonly #delays: boolean;
  readonly #groups: Readonly<Record<Stage, readonly Group[]>>;

  constructor(lists: StageLists, parts: RunParts) {
    this.#lists = lists;
    this.#parts = parts;
    this.#toolbox = parts.toolbox;
    this.#delays = parts.toolbox.settings.bool('smtpd_delay_reject');
    this.#groups = groupsByStage(lists, this.#delays);
  }

  asksNothing(stage: Stage): boolean {
    const isOptional = stage === 'data' || stage === 'endOfData';
    return (
      isOptional &&
      this.#parts.onlooker === undefined &&
      this.#groups[stage].every(({ lists }) => lists.every(({ restrictions }) => restrictions.length === 0))
    );
  }

  async check(stage: Stage, facts: SessionFacts): Promise<PolicyResult> {
    const { onlooker } = this.#parts;
    onlooker?.tell({ kind: 'stage', stage, facts });
    const asksRecipient = stage === 'rcpt' || stage === 'vrfy';
    if (asksRecipient && facts.recipient?.toLowerCase() === 'postmaster') {
      onlooker?.tell({ kind: 'remark', remark: 'postmaster' });
      return { kind: 'accept', actions: [] };
    }
    const run = new StageRun(this.#parts, stage, facts);
    if (!this.#delays) run.deferIfPermit = inheritedDeferral(stage, facts.memory);
    if (run.deferIfPermit !== undefined) onlooker?.tell({ kind: 'remark', remark: 'deferral inherited' });
    for (const group of this.#groups[stage]) {
      if (!hasSubject(group, facts)) continue;
      // VRFY outside of a transaction: what client and HELO put off is kept with a sender
      if (group.kind === 'destination' && facts.sender === undefined) run.deferIfPermit = undefined;
      const ran = this.#runGroup(run, group);
      const ending = ran instanceof Promise ? await ran : ran;
      if (ending !== undefined) return ending;
      if (run.isDiscarded) {
        onlooker?.tell({ kind: 'remark', remark: 'discarded' });
        break;
      }
    }
    return this.#conclude(run, stage);
  }

  /** What comes of a stage that no list has ended. */
  #conclude(run: StageRun, stage: Stage): MaybePromise<PolicyResult> {
    if (stage === 'connect' || stage === 'helo' || stage === 'mail') {
      run.facts.memory[stage] = run.deferIfPermit;
      if (run.deferIfPermit !== undefined) this.#parts.onlooker?.tell({ kind: 'remark', remark: 'deferral kept' });
      return { kind: 'accept', actions: run.actions };
    }
    // a refusal that was put off comes before what the lists never asked
    if (run.deferIfPermit !== undefined) return run.refuseDeferred(run.deferIfPermit);
    const asksRecipient = stage === 'rcpt' || stage === 'vrfy';
    const needsRecipient = asksRecipient && !run.isDiscarded && !run.hasChecked('reject_unlisted_recipient');
    const implicit = needsRecipient ? this.#runImplicit(run, this.#lists.unlistedRecipient) : undefined;
    return whenReady(implicit, (ending) => ending ?? { kind: 'accept', actions: run.actions });
  }

  #runGroup(run: StageRun, group: Group): MaybePromise<PolicyResult | undefined> {
    run.beginGroup();
    if (group.kind === 'mail') run.facts.memory.hasCheckedSender = false;
    return whenReady(this.#runLists(run, group, 0), (ending) => {
      if (ending !== undefined) return ending;
      const needsSender = group.kind === 'mail' && !run.isDiscarded && !run.hasChecked('reject_unlisted_sender');
      return needsSender ? this.#runImplicit(run, this.#lists.unlistedSender) : undefined;
    });
  }

  #runLists(run: StageRun, group: Group, from: number): MaybePromise<PolicyResult | undefined> {
    const list = group.lists[from];
    if (list === undefined) return undefined;
    return whenReady(run.list(list), (outcome) => {
      if (group.kind === 'destination') this.#tellOfOldDefaults(run, outcome, from === 0);
      return typeof outcome === 'object' ? outcome : this.#runLists(run, group, from + 1);
    });
  }

  /** Relay and recipient lists may have changed places, or the first may be missing, because main.cf is old. */
  #tellOfOldDefaults(run: StageRun, outcome: Outcome, isFirst: boolean): void {
    const { relaysByRecipientList, asksRecipientFirst } = this.#toolbox.oldDefaults;
    const { facts } = run;
    const who = `recipient "${facts.recipient ?? ''}" from client "${facts.clientText}"`;
    if (relaysByRecipientList && !isFirst && outcome === 'dunno')
      run.note(oldDefaultNote('"smtpd_relay_restrictions = (empty)"', `avoid "Relay access denied" error for ${who}`));
    if (asksRecipientFirst && isFirst && typeof outcome === 'object' && outcome.kind === 'reject')
      run.note(oldDefaultNote('smtpd_relay_before_recipient_restrictions=no', `reject ${who}`));
  }

  #runImplicit(run: StageRun, list: List): MaybePromise<PolicyResult | undefined> {
    if (list.restrictions.length === 0) return undefined;
    return whenReady(run.list(list, true), (outcome) => (typeof outcome === 'object' ? outcome : undefined));
  }
}
