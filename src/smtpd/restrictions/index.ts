/**
 * Evaluates the restriction lists of a stage: left to right, the relay and recipient lists apart, delayed or not.
 * SMTPD_ACCESS_README; inventory d.1, d.4
 */
import type { SubmissionAction } from '#message';
import type { PolicyWord } from '#events';
import type { PolicyChecks, SessionFacts, Stage, Verdict } from '../policy.ts';
import { askAhead, isDnsList } from './dns-lists.ts';
import { parseRestrictions } from './program.ts';
import { clientDatum, subjectMaker } from './subjects.ts';
import type { Decision, Evaluation, Restriction, Subject, Toolbox } from './restriction.ts';
import type { Effect, PolicyOnlooker } from './onlooker.ts';

export { relayProblem } from './program.ts';
export type PolicyOptions = Omit<Toolbox, 'parse' | 'mynetworks' | 'replyMaps'> & {
  /** An onlooker; absent in real sessions. */
  readonly onlooker?: PolicyOnlooker;
};

interface List {
  readonly parameter: string;
  readonly restrictions: readonly Restriction[];
  readonly replyClass: string;
  readonly datum: (facts: SessionFacts) => string;
}

type Rejected = Decision & { readonly kind: 'reject' };
type Deferral = Decision & { readonly kind: 'deferIfPermit' };

/** State of one evaluation over all lists of a stage. */
interface Run {
  readonly facts: SessionFacts;
  readonly stage: Stage;
  readonly actions: SubmissionAction[];
  readonly ran: Set<string>;
  deferIfPermit: Deferral | undefined;
}

export function createPolicyChecks(options: PolicyOptions): PolicyChecks {
  const { settings, tables, events, onlooker } = options;
  const softBounce = settings.bool('soft_bounce');
  const mynetworks = tables.matchList('mynetworks', 'namadr', settings.elements('mynetworks'));
  const warn = (text: string): void => events.emit({ kind: 'warning', text });
  const bareTables: Readonly<Record<string, string>> = {
    smtpd_client_restrictions: 'check_client_access',
    smtpd_helo_restrictions: 'check_helo_access',
    smtpd_sender_restrictions: 'check_sender_access',
    smtpd_relay_restrictions: 'check_recipient_access',
    smtpd_recipient_restrictions: 'check_recipient_access',
    smtpd_etrn_restrictions: 'check_etrn_access',
  };
  const toolbox: Toolbox = {
    ...options,
    mynetworks,
    replyMaps: tables.list(settings.elements('rbl_reply_maps')),
    parse: (elements) => parseRestrictions(elements, toolbox, { bareTable: '', warn }),
  };
  const list = (parameter: string, replyClass: string, datum: (facts: SessionFacts) => string): List => ({
    parameter,
    restrictions: parseRestrictions(settings.elements(parameter), toolbox, {
      bareTable: bareTables[parameter] ?? '',
      warn,
    }),
    replyClass,
    datum,
  });
  const lists = {
    client: list('smtpd_client_restrictions', 'Client host', clientDatum),
    helo: list('smtpd_helo_restrictions', 'Helo command', ({ helo }) => helo ?? ''),
    sender: list('smtpd_sender_restrictions', 'Sender address', ({ sender }) => sender ?? ''),
    relay: list('smtpd_relay_restrictions', 'Recipient address', ({ recipient }) => recipient ?? ''),
    recipient: list('smtpd_recipient_restrictions', 'Recipient address', ({ recipient }) => recipient ?? ''),
    data: list('smtpd_data_restrictions', 'Data command', () => 'DATA'),
    endOfData: list('smtpd_end_of_data_restrictions', 'End-of-data', () => 'END-OF-MESSAGE'),
    etrn: list('smtpd_etrn_restrictions', 'Etrn command', ({ recipient }) => recipient ?? ''),
  };
  const permitNames = 'smtpd_log_access_permit_actions';
  const loggedPermits = tables.matchList(permitNames, 'string', settings.elements(permitNames));
  const delays = settings.bool('smtpd_delay_reject');
  const relayFirst = settings.bool('smtpd_relay_before_recipient_restrictions');
  const overrides = settings.list('receive_override_options');
  const unlisted = (kind: 'sender' | 'recipient'): List => ({
    ...lists[kind],
    parameter: `smtpd_reject_unlisted_${kind}`,
    restrictions: parseRestrictions([{ text: `reject_unlisted_${kind}` }], toolbox, { bareTable: '', warn }),
  });
  const implicit = {
    sender: settings.bool('smtpd_reject_unlisted_sender'),
    recipient: settings.bool('smtpd_reject_unlisted_recipient') && !overrides.includes('no_unknown_recipient_checks'),
    senderList: unlisted('sender'),
    recipientList: unlisted('recipient'),
  };

  function evaluationOf(run: Run, subject: Subject): Evaluation {
    return {
      facts: run.facts,
      stage: run.stage,
      subject,
      ran: run.ran,
      act: (action) => void run.actions.push(action),
      log: (word, text) => emit(run, word, text),
      warn,
    };
  }

  function emit(run: Run, word: PolicyWord, text: string): void {
    const { facts, stage } = run;
    events.emit({
      kind: 'policy',
      word,
      text,
      client: facts.clientText,
      where: facts.command,
      queueId: facts.queueId,
      sender: facts.sender,
      recipient: stage === 'etrn' ? undefined : facts.recipient,
      protocol: facts.helo === undefined ? 'SMTP' : facts.protocol,
      helo: facts.helo ?? '',
    });
  }

  /** Runs one list; gives the refusal, or undefined. */
  async function runList(
    { parameter, restrictions, replyClass, datum }: List,
    run: Run,
    isImplicit = false,
  ): Promise<Rejected | undefined> {
    onlooker?.tell({ kind: 'list', parameter, length: restrictions.length, isImplicit });
    const evaluation = evaluationOf(run, { replyClass, datum: datum(run.facts) });
    const result = await runRestrictions(restrictions, evaluation, run, false, { deferIfReject: undefined });
    return typeof result === 'object' ? result : undefined;
  }

  /** smtpd_log_access_permit_actions: a list of action names. */
  async function logPermit(
    name: string,
    { as = { action: name, place: '' } }: Decision & { readonly kind: 'permit' },
    { subject }: Evaluation,
    run: Run,
  ): Promise<void> {
    if (loggedPermits.isEmpty || (await loggedPermits.matches(as.action)) !== 'yes') return;
    // those about the client speak of it in whatever list they stand
    const isAboutClient = /^permit_(?:mynetworks|inet_interfaces|sasl|tls|dnswl|rhswl)/.test(name);
    const { replyClass, datum } = isAboutClient
      ? { replyClass: 'Client host', datum: clientDatum(run.facts) }
      : (subjectMaker(name)?.(run.facts) ?? subject);
    emit(run, 'permit', `action=${as.action} for ${replyClass}=${datum} ${as.place}`);
  }

  async function runRestrictions(
    restrictions: readonly Restriction[],
    evaluation: Evaluation,
    run: Run,
    softened: boolean,
    state: { deferIfReject: (Decision & { readonly kind: 'deferIfReject' }) | undefined },
  ): Promise<Rejected | 'permit' | 'dunno'> {
    let hasAsked = false;
    for (const [i, restriction] of restrictions.entries()) {
      if (!hasAsked && isDnsList(restriction.name)) {
        askAhead(restrictions.slice(i), evaluation, toolbox);
        hasAsked = true;
      }
      const warnOnly = softened || restriction.warnOnly;
      onlooker?.tell({ kind: 'asked', restriction });
      const answer = onlooker?.instead(restriction) ?? restriction.evaluate(evaluation);
      const given = answer instanceof Promise ? await answer : answer;
      const decision = onlooker?.reviewed(given) ?? given;
      onlooker?.tell({
        kind: 'answered',
        restriction,
        decision,
        effect: effectOf(decision, warnOnly, run, state),
        isSoftened: warnOnly,
      });
      switch (decision.kind) {
        case 'dunno':
          continue;
        case 'permit':
          await logPermit(restriction.name, decision, evaluation, run);
          return 'permit';
        case 'deferIfPermit':
          if (warnOnly) emit(run, 'reject_warning', `${decision.code} ${decision.dsn} ${decision.text}`);
          else run.deferIfPermit ??= decision;
          break;
        case 'deferIfReject':
          state.deferIfReject ??= decision;
          break;
        case 'list': {
          const within = decision.subject === undefined ? evaluation : { ...evaluation, subject: decision.subject };
          const inner = await runRestrictions(decision.restrictions, within, run, warnOnly, state);
          onlooker?.tell({ kind: 'left', restriction });
          if (inner !== 'dunno') return inner;
          break;
        }
        case 'reject':
          if (warnOnly) {
            emit(run, 'reject_warning', `${decision.code} ${decision.dsn} ${decision.text}`);
            break;
          }
          if (state.deferIfReject !== undefined && decision.code >= 500)
            return { ...state.deferIfReject, kind: 'reject' };
          return decision;
      }
      // whatever comes now, the answer is settled
      if (run.deferIfPermit !== undefined && state.deferIfReject !== undefined) {
        onlooker?.tell({ kind: 'remark', remark: 'settled' });
        return 'dunno';
      }
    }
    return 'dunno';
  }

  function verdictOf(run: Run, rejected: Rejected | undefined): Verdict {
    if (rejected === undefined && run.deferIfPermit !== undefined)
      onlooker?.tell({ kind: 'remark', remark: 'deferral said' });
    const final =
      rejected ?? (run.deferIfPermit === undefined ? undefined : ({ ...run.deferIfPermit, kind: 'reject' } as const));
    if (final === undefined) return { kind: 'accept', actions: run.actions };
    const isSoftened = softBounce && final.code >= 500;
    if (isSoftened) onlooker?.tell({ kind: 'remark', remark: 'soft bounce' });
    const code = isSoftened ? final.code - 100 : final.code;
    const reply = `${code} ${isSoftened ? final.dsn.replace(/^5/, '4') : final.dsn} ${final.text}`;
    emit(run, 'reject', reply);
    return { kind: 'reject', reply, hangsUp: 'hangsUp' in final && final.hangsUp === true };
  }

  /** What an earlier stage put off; where refusals are delayed all lists run in one go, and nothing is. */
  function inherited(stage: Stage, memory: SessionFacts['memory']): Deferral | undefined {
    if (delays || stage === 'connect') return undefined;
    const put = stage === 'helo' ? memory.connect : stage === 'mail' ? memory.helo : memory.mail;
    return put === undefined ? undefined : { kind: 'deferIfPermit', ...put };
  }

  const isDiscarded = (run: Run): boolean =>
    run.facts.isDiscarded || run.actions.some(({ kind }) => kind === 'discard');

  function listsOf(stage: Stage): readonly List[] {
    const delayed = delays ? [lists.client, lists.helo, lists.sender] : [];
    const destination = relayFirst ? [lists.relay, lists.recipient] : [lists.recipient, lists.relay];
    switch (stage) {
      case 'connect':
        return [lists.client];
      case 'helo':
        return [lists.helo];
      case 'mail':
        return [lists.sender];
      case 'rcpt':
      case 'vrfy':
        return [...delayed, ...destination];
      case 'data':
        return [lists.data];
      case 'endOfData':
        return [lists.endOfData];
      case 'etrn':
        return [...(delays ? [lists.client, lists.helo] : []), lists.etrn];
    }
  }

  /** The implicit existence checks, unless the lists ran them or the mail is thrown away. */
  async function runImplicit(run: Run): Promise<Rejected | undefined> {
    if (isDiscarded(run)) return undefined;
    if (implicit.sender && !run.ran.has('reject_unlisted_sender')) {
      const rejected = await runList(implicit.senderList, run, true);
      if (rejected !== undefined) return rejected;
    }
    if (implicit.recipient && !run.ran.has('reject_unlisted_recipient'))
      return runList(implicit.recipientList, run, true);
    return undefined;
  }

  return {
    async check(stage, facts) {
      onlooker?.tell({ kind: 'stage', stage, facts });
      const run: Run = { facts, stage, actions: [], ran: new Set(), deferIfPermit: inherited(stage, facts.memory) };
      const isRecipientStage = stage === 'rcpt' || stage === 'vrfy';
      if (isRecipientStage && facts.recipient?.toLowerCase() === 'postmaster') {
        onlooker?.tell({ kind: 'remark', remark: 'postmaster' });
        return { kind: 'accept', actions: [] };
      }
      if (run.deferIfPermit !== undefined) onlooker?.tell({ kind: 'remark', remark: 'deferral inherited' });
      for (const each of listsOf(stage)) {
        const rejected = await runList(each, run);
        if (rejected !== undefined) return verdictOf(run, rejected);
        // what is thrown away may be for anybody
        if (isDiscarded(run)) {
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
      const asks = stage === 'rcpt' && run.deferIfPermit === undefined;
      return verdictOf(run, asks ? await runImplicit(run) : undefined);
    },
  };
}

/** What a decision comes to, for onlookers. */
function effectOf(
  decision: Decision,
  warnOnly: boolean,
  { deferIfPermit }: Run,
  { deferIfReject }: { readonly deferIfReject: Decision | undefined },
): Effect {
  switch (decision.kind) {
    case 'dunno':
      return 'next';
    case 'permit':
      return 'permits';
    case 'list':
      return 'list';
    case 'deferIfPermit':
      return warnOnly ? 'warns' : deferIfPermit === undefined ? 'put off' : 'already put off';
    case 'deferIfReject':
      return 'remembered';
    case 'reject':
      if (warnOnly) return 'warns';
      return deferIfReject !== undefined && decision.code >= 500 ? 'refuses for now' : 'refuses';
  }
}
