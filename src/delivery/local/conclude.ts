/** Says what became of a member of an expansion: in the log, and for the outcome of the whole. */
import { concludedAs, type Status } from '#message';
import type { WriteResult } from '../deliverer-protocol.ts';
import type { Ending, Job } from './job.ts';

/** A status filter that needs time is waited for at the end of the recipient. */
export function conclude(job: Job, address: string, ending: Ending): void {
  const { statusFilter } = job.parts;
  const judged = statusFilter?.apply(ending.kind, ending.status) ?? ending;
  if (!(judged instanceof Promise)) return write(job, address, { ...ending, ...judged });
  job.undecided.push(judged.then((final) => write(job, address, { ...ending, ...final })));
}

function write(job: Job, address: string, ending: Ending): void {
  const { request, recipient, parts, sender } = job;
  const { logged, ...outcome } = concludedAs(ending, request, parts.settings.softBounce);
  job.outcomes.push({ relay: 'local', ...ending, address, sender, ...outcome });
  parts.events.emit({
    kind: 'delivery',
    queueId: request.queueId,
    recipient: address,
    original: recipient.original,
    relay: 'local',
    times: [request.envelope.arrivedAt, request.activeAt, request.startedAt, request.startedAt, parts.now()],
    code: outcome.status.code,
    outcome: logged,
    text: outcome.status.reason,
  });
}

export function concludeSent(job: Job, address: string, reason: string): void {
  conclude(job, address, { kind: 'sent', status: { code: '2.0.0', reason }, action: 'delivered' });
}

/** For reports only: nothing was delivered by it. */
export function noteExpanded(job: Job, address: string, action: 'expanded' | 'delivered'): void {
  const status = { code: '2.0.0', reason: 'alias expanded' };
  job.outcomes.push({ kind: 'sent', status, action, relay: 'local', address, sender: job.sender });
}

/** Whether to try again is told by the first digit. */
export function concludeFailed(
  job: Job,
  address: string,
  code: string,
  reason: string,
  diagnostic?: Status['diagnostic'],
): void {
  const status = { code, reason, ...(diagnostic === undefined ? {} : { diagnostic }) };
  conclude(job, address, { kind: code.startsWith('5') ? 'bounced' : 'deferred', status });
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
