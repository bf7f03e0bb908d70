/** Says what became of a member of an expansion: in the log, and for the outcome of the whole. */
import { toExternal } from '#address';
import { loggedOutcome, outcomeOf } from '#message';
import type { WriteResult } from '../deliverer-protocol.ts';
import type { Job, MemberOutcome } from './job.ts';

export function conclude(job: Job, address: string, outcome: MemberOutcome): void {
  const { request, recipient, parts } = job;
  const final = { ...outcome, kind: outcomeOf(outcome.kind, request) };
  job.outcomes.push(final);
  parts.events.emit({
    kind: 'delivery',
    queueId: request.queueId,
    recipient: toExternal(address),
    original: toExternal(recipient.original),
    relay: 'local',
    times: [request.envelope.arrivedAt, request.activeAt, request.startedAt, request.startedAt, parts.now()],
    code: final.code,
    outcome: loggedOutcome(final.kind, request),
    text: final.text,
  });
}

export function concludeSent(job: Job, address: string, text: string): void {
  conclude(job, address, { kind: 'sent', code: '2.0.0', text });
}

/** Whether to try again is told by the first digit. */
export function concludeFailed(job: Job, address: string, code: string, text: string): void {
  conclude(job, address, { kind: code.startsWith('5') ? 'bounced' : 'deferred', code, text });
}

export function warn(job: Job, text: string): void {
  job.parts.events.emit({ kind: 'warning', text });
}

/** The outcome of writing a mailbox; `fallback`: the status where the cause has none of its own. */
export function concludeWritten(
  job: Job,
  address: string,
  result: WriteResult,
  texts: { readonly done: string; readonly failed: (reason: string) => string; readonly fallback: string },
): void {
  for (const text of result.warnings) warn(job, text);
  if (result.kind === 'ok') concludeSent(job, address, texts.done);
  else concludeFailed(job, address, result.code === '' ? texts.fallback : result.code, texts.failed(result.reason));
}
