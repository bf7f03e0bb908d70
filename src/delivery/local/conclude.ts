/** Says what became of a member of an expansion: in the log, and for the outcome of the whole. */
import { concludedAs, failureKind, type MaybePromise, type RequestRecipient, type Status, whenReady } from '#message';
import type { WriteResult } from '../deliverer-protocol.ts';
import { logOutcome } from '../log-outcome.ts';
import type { Ending, Job } from './job.ts';

export function conclude(job: Job, address: string, ending: Ending): MaybePromise<void> {
  const judged = job.parts.statusFilter?.apply(ending.kind, ending.status) ?? ending;
  return whenReady(judged, (final) => tell(job, address, { ...ending, ...final }));
}

/** The owner of a list hears of each failure at once: it is not the sender, whom the queue manager tells at the end. */
function tell(job: Job, address: string, ending: Ending): MaybePromise<void> {
  const { request, parts, sender } = job;
  const { kind } = concludedAs(ending, request, parts.settings.softBounce);
  if (kind !== 'bounced' || sender === request.envelope.sender) return write(job, address, ending);
  return tellOwner(job, address, ending);
}

async function tellOwner(job: Job, address: string, ending: Ending): Promise<void> {
  const { request, recipient, parts, sender } = job;
  const { queueId, content, sizeBytes } = request;
  // how the mail is named and returned was the sender's wish. RFC 3461, 5.2.7.3
  const envelope = { ...request.envelope, envid: '', ret: '' as const };
  const failed = { ...recipient, address };
  const outcome = { index: recipient.index, ...ending };
  const told = await parts.bouncer.notify(
    'failure',
    { queueId, envelope, content, sizeBytes },
    [[{ recipient: failed, outcome }]],
    sender,
  );
  if (told.ok) return write(job, address, ending, true);
  const status = { code: '4.3.0', reason: `bounce or trace service failure: ${told.reason}` };
  write(job, address, { ...ending, kind: 'deferred', status });
}

function write(job: Job, address: string, ending: Ending, isTold = false): void {
  const { request, recipient, parts, sender } = job;
  const { logged, ...outcome } = concludedAs(ending, request, parts.settings.softBounce);
  job.outcomes.add({ relay: 'local', ...ending, address, sender, ...outcome, ...(isTold && { isTold }) });
  const { original } = recipient;
  const { status } = outcome;
  logOutcome(parts.events, request, { address, original }, { logged, status, relay: 'local', now: parts.now() });
}

export function concludeSent(job: Job, address: string, reason: string): MaybePromise<void> {
  return conclude(job, address, { kind: 'sent', status: { code: '2.0.0', reason }, action: 'delivered' });
}

/** The recipient as its members inherit it: the expansion as a whole is the success that the sender hears of. RFC 3461, 5.2.7.2 */
export function withoutSuccess(recipient: RequestRecipient): RequestRecipient {
  const { notify } = recipient;
  if (!notify.includes('success')) return recipient;
  const rest = notify.filter((word) => word !== 'success');
  return { ...recipient, notify: rest.length === 0 ? ['never'] : rest };
}

/** An outcome for reports only, to senders who want to hear of success: expanding an alias delivers nothing. */
export function noteExpanded(job: Job, address: string, hasOwner = false): void {
  if (!job.recipient.notify.includes('success')) return;
  const status = { code: '2.0.0', reason: 'alias expanded' };
  // RFC 3461, 5.2.7.3: a list with an owner is where the mail was going
  const shown = hasOwner ? ({ action: 'delivered', original: '' } as const) : ({ action: 'expanded' } as const);
  job.outcomes.add({ kind: 'sent', status, ...shown, relay: 'local', address, sender: job.sender });
}

/** Whether to try again is told by the first digit. */
export function concludeFailed(
  job: Job,
  address: string,
  code: string,
  reason: string,
  diagnostic?: Status['diagnostic'],
): MaybePromise<void> {
  const status = { code, reason, ...(diagnostic === undefined ? {} : { diagnostic }) };
  return conclude(job, address, { kind: failureKind(code), status });
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
): MaybePromise<void> {
  for (const text of result.warnings) warn(job, text);
  if (result.kind === 'ok') return concludeSent(job, address, texts.done);
  return concludeFailed(job, address, result.code === '' ? texts.fallback : result.code, texts.failed(result.reason));
}
