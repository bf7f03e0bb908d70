/**
 * Which groups of restriction lists belong to a stage, delayed or not; and what one stage leaves for the next.
 * SMTPD_ACCESS_README
 */
import { rememberAnswers, type Resolver } from '#dns';
import { type MaybePromise, whenReady } from '#message';
import type { PolicyChecks, PolicyResult, SessionFacts, Stage } from '../policy.ts';
import { oldDefaultNote, oldDefaults } from './old-defaults.ts';
import type { PolicyOnlooker } from './onlooker.ts';
import { parseRestrictions } from './program.ts';
import type { Toolbox } from './restriction.ts';
import { readRestrictionSettings } from './settings.ts';
import { type Group, hasSubject, readLists } from './stage-lists.ts';
import { type List, type Outcome, type RunParts, StageRun } from './stage-run.ts';

export { faultyRestrictions } from './program.ts';
export { type ServiceProblem, serviceProblem } from './start.ts';
export type PolicyOptions = Omit<
  Toolbox,
  'parse' | 'compiled' | 'classes' | 'mynetworks' | 'replyMaps' | 'oldDefaults' | 'listResolver'
> & {
  /** An onlooker; absent in real sessions. */
  readonly onlooker?: PolicyOnlooker;
};

/** As long as a server process of Postfix lives without work (max_idle), and room for more than its 100 answers. */
const listMemory = { maxAgeMs: 100_000, maxEntries: 5000 };

/** No host has a name that ends in a dot, whatever DNS makes of it. */
function withoutRootedNames(resolver: Resolver): Resolver {
  return {
    lookup: (name, type) =>
      name.endsWith('.')
        ? Promise.resolve({ kind: 'noName', reason: `Name service error for ${name}: invalid host or domain name` })
        : resolver.lookup(name, type),
  };
}

function toolboxOf(options: PolicyOptions): Toolbox {
  const { settings, tables } = options;
  const resolver = withoutRootedNames(options.resolver);
  const toolbox: Toolbox = {
    ...options,
    resolver,
    listResolver: rememberAnswers(resolver, { now: () => performance.now(), ...listMemory }),
    compiled: readRestrictionSettings(settings),
    mynetworks: tables.matchList('mynetworks', 'namadr', settings.elements('mynetworks')),
    replyMaps: tables.listOf('rbl_reply_maps'),
    oldDefaults: oldDefaults(settings),
    classes: new Map(),
    parse: (elements, { bareTable }) => parseRestrictions(elements, toolbox, { bareTable }),
  };
  return toolbox;
}

export function createPolicyChecks(options: PolicyOptions): PolicyChecks {
  const { settings, tables, events, onlooker } = options;
  const permitNames = 'smtpd_log_access_permit_actions';
  const toolbox = toolboxOf(options);
  const parts: RunParts = {
    toolbox,
    events,
    softBounce: settings.bool('soft_bounce'),
    smtputf8: settings.bool('smtputf8_enable'),
    loggedPermits: tables.matchList(permitNames, 'string', settings.elements(permitNames)),
    onlooker,
  };
  const stages = readLists(toolbox);
  // Tables that classes name are opened now too, not when the first message needs them.
  for (const name of settings.list('smtpd_restriction_classes')) {
    parseRestrictions(settings.elements(name), toolbox, { bareTable: '' });
  }
  const delays = settings.bool('smtpd_delay_reject');

  const groupsOf: Readonly<Record<Stage, readonly Group[]>> = {
    connect: [stages.connect],
    helo: [stages.helo],
    mail: [stages.mail],
    rcpt: withDelayed(stages.mail, stages.destination),
    vrfy: withDelayed(stages.mail, stages.destination),
    etrn: withDelayed(stages.etrn),
    data: [stages.data],
    endOfData: [stages.endOfData],
  };

  /** smtpd_delay_reject: what earlier stages would have refused is asked for now. */
  function withDelayed(...groups: readonly Group[]): readonly Group[] {
    return delays ? [stages.connect, stages.helo, ...groups] : groups.slice(-1);
  }

  /** What an earlier stage put off; where refusals are delayed all lists run in one go, and nothing is. */
  function inherited(stage: Stage, { connect, helo, mail }: SessionFacts['memory']): StageRun['deferIfPermit'] {
    if (delays) return undefined;
    switch (stage) {
      case 'connect':
      case 'data':
      case 'endOfData':
        return undefined;
      case 'helo':
        return connect;
      case 'mail':
      case 'etrn':
        return helo ?? connect;
      case 'rcpt':
      case 'vrfy':
        return mail;
    }
  }

  function runGroup(run: StageRun, group: Group): MaybePromise<PolicyResult | undefined> {
    run.beginGroup();
    if (group.kind === 'mail') run.facts.memory.hasCheckedSender = false;
    return whenReady(runLists(run, group, 0), (ending) => {
      if (ending !== undefined) return ending;
      const needsSender = group.kind === 'mail' && !run.isDiscarded && !run.hasChecked('reject_unlisted_sender');
      return needsSender ? runImplicit(run, stages.unlistedSender) : undefined;
    });
  }

  function runLists(run: StageRun, group: Group, from: number): MaybePromise<PolicyResult | undefined> {
    const list = group.lists[from];
    if (list === undefined) return undefined;
    return whenReady(run.list(list), (outcome) => {
      if (group.kind === 'destination') tellOfOldDefaults(run, outcome, from === 0);
      return typeof outcome === 'object' ? outcome : runLists(run, group, from + 1);
    });
  }

  /** Relay and recipient lists may have changed places, or the first may be missing, because main.cf is old. */
  function tellOfOldDefaults(run: StageRun, outcome: Outcome, isFirst: boolean): void {
    const { relaysByRecipientList, asksRecipientFirst } = toolbox.oldDefaults;
    const { facts } = run;
    const who = `recipient "${facts.recipient ?? ''}" from client "${facts.clientText}"`;
    if (relaysByRecipientList && !isFirst && outcome === 'dunno')
      run.note(oldDefaultNote('"smtpd_relay_restrictions = (empty)"', `avoid "Relay access denied" error for ${who}`));
    if (asksRecipientFirst && isFirst && typeof outcome === 'object' && outcome.kind === 'reject')
      run.note(oldDefaultNote('smtpd_relay_before_recipient_restrictions=no', `reject ${who}`));
  }

  function runImplicit(run: StageRun, list: List): MaybePromise<PolicyResult | undefined> {
    if (list.restrictions.length === 0) return undefined;
    return whenReady(run.list(list, true), (outcome) => (typeof outcome === 'object' ? outcome : undefined));
  }

  return {
    asksNothing: (stage) =>
      (stage === 'data' || stage === 'endOfData') &&
      onlooker === undefined &&
      groupsOf[stage].every(({ lists }) => lists.every(({ restrictions }) => restrictions.length === 0)),
    async check(stage, facts) {
      onlooker?.tell({ kind: 'stage', stage, facts });
      const run = new StageRun(parts, stage, facts);
      const asksRecipient = stage === 'rcpt' || stage === 'vrfy';
      if (asksRecipient && facts.recipient?.toLowerCase() === 'postmaster') {
        onlooker?.tell({ kind: 'remark', remark: 'postmaster' });
        return { kind: 'accept', actions: [] };
      }
      run.deferIfPermit = inherited(stage, facts.memory);
      if (run.deferIfPermit !== undefined) onlooker?.tell({ kind: 'remark', remark: 'deferral inherited' });
      for (const group of groupsOf[stage]) {
        if (!hasSubject(group, facts)) continue;
        // VRFY outside of a transaction: what client and HELO put off is kept with a sender
        if (group.kind === 'destination' && facts.sender === undefined) run.deferIfPermit = undefined;
        const ran = runGroup(run, group);
        const ending = ran instanceof Promise ? await ran : ran;
        if (ending !== undefined) return ending;
        if (run.isDiscarded) {
          onlooker?.tell({ kind: 'remark', remark: 'discarded' });
          break;
        }
      }
      if (stage === 'connect' || stage === 'helo' || stage === 'mail') {
        facts.memory[stage] = run.deferIfPermit;
        if (run.deferIfPermit !== undefined) onlooker?.tell({ kind: 'remark', remark: 'deferral kept' });
        return { kind: 'accept', actions: run.actions };
      }
      // a refusal that was put off comes before what the lists never asked
      if (run.deferIfPermit !== undefined) return run.refuseDeferred(run.deferIfPermit);
      const needsRecipient = asksRecipient && !run.isDiscarded && !run.hasChecked('reject_unlisted_recipient');
      const ending = needsRecipient ? await runImplicit(run, stages.unlistedRecipient) : undefined;
      return ending ?? { kind: 'accept', actions: run.actions };
    },
  };
}
