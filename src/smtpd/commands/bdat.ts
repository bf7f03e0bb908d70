/** BDAT. RFC 3030 */
import { type CommandResult, replyOf } from '../command-result.ts';
import type { Session } from '../session.ts';

export async function bdat(session: Session, args: string): Promise<CommandResult> {
  const { transaction, settings } = session;
  if (settings.discardedKeywords.has('chunking')) return replyOf('521 5.5.1 Error: command not implemented', true);
  const match = /^(\d{1,15})(?:\s+(LAST))?$/i.exec(args);
  if (match === null) return replyOf('521 5.5.4 Syntax: BDAT count [LAST]', true);
  const size = Number(match[1]);
  const isLast = match[2] !== undefined;
  // the chunk follows its command whatever the reply: without a transaction the session can't go on
  if (transaction === undefined) return replyOf('503 5.5.1 Error: need RCPT command', true);
  if (transaction.recipients.length === 0) return replyOf('554 5.5.1 Error: no valid recipients', true);
  if (!transaction.inChunks) {
    const verdict = await session.check('data');
    if (verdict.kind === 'reject') return replyOf(verdict.reply, true);
  }
  transaction.inChunks = true;
  return { ...replyOf(`250 2.0.0 Ok: ${size} bytes`), next: { chunk: size, isLast } };
}
