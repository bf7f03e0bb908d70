/** RCPT TO. RFC 5321, 4.1.1.3 */
import { parsePath } from '#smtp';
import { type CommandResult, replyOf } from '../command-result.ts';
import type { Session } from '../session.ts';
import { clientText } from '../session-state.ts';
import { parseRecipientParameters } from './mail-parameters.ts';

export async function rcpt(session: Session, args: string): Promise<CommandResult> {
  const { settings, options, transaction } = session;
  if (transaction === undefined) return replyOf('503 5.5.1 Error: need MAIL command');
  if (transaction.inChunks) return replyOf('503 5.5.1 Error: RCPT after BDAT');
  const path = parsePath(args, 'TO', { strict: settings.strictEnvelopes });
  if (path.kind === 'syntax') return replyOf('501 5.5.4 Syntax: RCPT TO:<address>');
  if (path.kind === 'badAddress' || path.address === '') {
    const text = path.kind === 'badAddress' ? path.text : '<>';
    options.events.emit({
      kind: 'warning',
      text: `Illegal address syntax from ${clientText(session.client)} in RCPT command: ${text}`,
    });
    return replyOf('501 5.1.3 Bad recipient address syntax');
  }
  const parameters = parseRecipientParameters(path.parameters, {
    discarded: settings.discardedKeywords,
    smtputf8: settings.smtputf8,
  });
  if (typeof parameters === 'string') return replyOf(parameters);
  if (transaction.recipients.length >= settings.recipientLimit) {
    transaction.tooManyRecipients += 1;
    return replyOf('452 4.5.3 Error: too many recipients');
  }
  const verdict = await session.check('rcpt', path.address);
  if (verdict.kind === 'reject') return replyOf(verdict.reply, verdict.hangsUp);
  transaction.recipients.push({ address: path.address, ...parameters });
  if (transaction.submission === undefined) session.openSubmission(transaction);
  const { submission } = transaction;
  for (const action of verdict.actions) submission?.apply(action);
  submission?.addRecipient({ address: path.address, original: path.address, ...parameters });
  return replyOf('250 2.1.5 Ok');
}
