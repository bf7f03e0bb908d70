/** A session asks the restrictions. */
import { type MaybePromise, whenReady } from '#message';
import type { PolicyResult, SessionFacts, Stage, Verdict } from './policy.ts';
import type { Transaction } from './session-state.ts';
import type { Session } from './session.ts';

type Change = Partial<Pick<SessionFacts, 'helo' | 'recipient' | 'protocol' | 'etrnDomain' | 'instance'>>;

/** What they are told of a session; `change`: what the command that is judged would make of it. */
function factsOf(session: Session, stage: Stage, change: Change): SessionFacts {
  const { transaction, login, options } = session;
  // what is judged about a message is not about one of its recipients
  const isOfMessage = (transaction?.recipients.length ?? 0) > 1 && (stage === 'data' || stage === 'endOfData');
  return {
    command: session.where,
    clientText: session.clientText,
    memory: session.policyMemory,
    isDiscarded: transaction?.isDiscarded ?? false,
    isHeld: transaction?.isHeld ?? false,
    client: session.client,
    helo: session.helo,
    protocol: session.protocol,
    sender: transaction?.sender,
    recipient: isOfMessage ? undefined : transaction?.recipients[0]?.address,
    recipientCount: transaction?.recipients.length ?? 0,
    queueId: session.queueId,
    sizeBytes: stage === 'endOfData' ? (transaction?.contentBytes ?? 0) : (transaction?.declaredSize ?? 0),
    saslUsername: login.user,
    saslMethod: login.method,
    canLogIn: options.login !== undefined,
    saslSender: transaction?.saslSender,
    hasPipelinedInput: session.exchange.sawPipelining,
    tls: session.tls,
    instance: transaction?.instance ?? '',
    ...change,
  };
}

/** Asks the restrictions; what they want done with the message is done, or remembered until it can be. */
export function checkPolicy(session: Session, stage: Stage, change: Change = {}): MaybePromise<Verdict> {
  const { policy } = session.options;
  const { transaction } = session;
  if (policy.asksNothing?.(stage) === true) return { kind: 'accept', actions: [] };
  return whenReady(policy.check(stage, factsOf(session, stage, change)), (result) => act(session, transaction, result));
}

function act(session: Session, transaction: Transaction | undefined, result: PolicyResult): Verdict {
  const verdict = result.kind === 'abandon' ? abandon(session, result.fatal) : result;
  if (transaction === undefined) return verdict;
  for (const action of verdict.actions) {
    if (action.kind === 'discard') transaction.isDiscarded = true;
    if (action.kind === 'hold') transaction.isHeld = true;
    if (transaction.submission === undefined) transaction.waitingActions.push(action);
    else transaction.submission.apply(action);
  }
  return verdict;
}

/** Ends the session as if the server had died: no reply, and after a fatal error not even a last line in the log. */
function abandon(session: Session, fatal: string | undefined): Verdict {
  if (fatal === undefined) session.exchange.cut();
  else session.die(fatal);
  return { kind: 'reject', reply: '421 4.3.0 Server local error', hangsUp: true, actions: [] };
}
