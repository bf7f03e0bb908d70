/** VRFY: never says whether a mailbox exists, but applies the recipient rules. RFC 5321, 3.5 */
import { parsePath } from '#smtp';
import { type CommandResult, replyOf } from '../command-result.ts';
import type { Session } from '../session.ts';

export async function vrfy(session: Session, args: string): Promise<CommandResult> {
  if (session.settings.disableVrfy) return replyOf('502 5.5.1 VRFY command is disabled');
  const text = args.replace(/\s+SMTPUTF8$/i, '');
  if (text === '') return replyOf('501 5.5.4 Syntax: VRFY address [SMTPUTF8]');
  const path = parsePath(`TO:${text}`, 'TO', { strict: false });
  if (path.kind !== 'ok' || path.address === '') return replyOf('501 5.1.3 Bad recipient address syntax');
  const verdict = await session.check('vrfy', path.address);
  return verdict.kind === 'reject' ? replyOf(verdict.reply, verdict.hangsUp) : replyOf(`252 2.0.0 ${text}`);
}
