/** MAIL FROM. RFC 5321, 4.1.1.2 */
import { parsePath } from '#smtp';
import { type CommandResult, replyOf } from '../command-result.ts';
import type { Session } from '../session.ts';
import { clientText } from '../session-state.ts';
import { parseMailParameters } from './mail-parameters.ts';

export async function mail(session: Session, args: string): Promise<CommandResult> {
  const { settings, options } = session;
  if (session.transaction?.inChunks === true) return replyOf('503 5.5.1 Error: MAIL after BDAT');
  if (session.transaction !== undefined) return replyOf('503 5.5.1 Error: nested MAIL command');
  const path = parsePath(args, 'FROM', { strict: settings.strictEnvelopes });
  if (path.kind === 'syntax') return replyOf('501 5.5.4 Syntax: MAIL FROM:<address>');
  if (path.kind === 'badAddress') {
    options.events.emit({
      kind: 'warning',
      text: `Illegal address syntax from ${clientText(session.client)} in MAIL command: ${path.text}`,
    });
    return replyOf('501 5.1.7 Bad sender address syntax');
  }
  const parameters = parseMailParameters(path.parameters, {
    discarded: settings.discardedKeywords,
    smtputf8: settings.smtputf8,
  });
  if (typeof parameters === 'string') return replyOf(parameters);
  if (settings.messageSizeLimit > 0 && parameters.size > settings.messageSizeLimit) {
    return replyOf('552 5.3.4 Message size exceeds fixed limit');
  }
  if (
    settings.queueMinFree > 0 &&
    (await options.freeBytes()) < Math.max(settings.queueMinFree, 1.5 * settings.messageSizeLimit)
  ) {
    return replyOf('452 4.3.1 Insufficient system storage');
  }
  session.transaction = {
    sender: path.address,
    declaredSize: parameters.size,
    encoding: parameters.encoding,
    smtputf8: parameters.smtputf8,
    ret: parameters.ret,
    envid: parameters.envid,
    startedAt: options.now(),
    recipients: [],
    submission: undefined,
    inChunks: false,
    contentBytes: 0,
    tooManyRecipients: 0,
  };
  const verdict = settings.delayReject ? undefined : await session.check('mail');
  if (verdict?.kind === 'reject') {
    session.resetTransaction();
    return replyOf(verdict.reply, verdict.hangsUp);
  }
  return replyOf('250 2.1.0 Ok');
}
