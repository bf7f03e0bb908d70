/** DATA. RFC 5321, 4.1.1.4 */
import { type CommandResult, replyOf } from '../command-result.ts';
import { beginContent } from '../filter-entry.ts';
import { checkPolicy } from '../policy-check.ts';
import type { Session } from '../session.ts';
import type { Arguments } from './index.ts';

export async function data(session: Session, { words, line }: Arguments): Promise<CommandResult> {
  const { transaction } = session;
  if (session.chunks !== 'none') return replyOf('503 5.5.1 Error: DATA after BDAT');
  if (transaction === undefined) return replyOf('503 5.5.1 Error: need RCPT command');
  if (transaction.recipients.length === 0) return replyOf('554 5.5.1 Error: no valid recipients');
  if (words.length > 1) return replyOf('501 5.5.4 Syntax: DATA');
  const verdict = await checkPolicy(session, 'data');
  if (verdict.kind === 'reject') return replyOf(verdict.reply, verdict.hangsUp);
  const refused = await beginContent(session, transaction, line);
  if (refused !== undefined) return refused;
  return { code: 354, lines: ['End data with <CR><LF>.<CR><LF>'], content: { kind: 'data' } };
}
