/** ETRN: starts deliveries to a site. RFC 1985, ETRN_README */
import { isAddressLiteral, isValidHostName } from '#address';
import { type CommandResult, replyOf } from '../command-result.ts';
import type { Session } from '../session.ts';
import { clientText } from '../session-state.ts';

export async function etrn(session: Session, args: string): Promise<CommandResult> {
  if (session.helo === undefined) return replyOf('503 Error: send HELO/EHLO first');
  if (session.transaction !== undefined) return replyOf('503 Error: MAIL transaction in progress');
  if (args === '' || /\s/.test(args)) return replyOf('500 Syntax: ETRN domain');
  const domain = args.replace(/^[@#]/, '');
  if (!isValidHostName(domain) && !isAddressLiteral(domain)) return replyOf('501 Error: invalid parameter syntax');
  const verdict = await session.check('etrn', domain);
  if (verdict.kind === 'reject') return replyOf(verdict.reply, verdict.hangsUp);
  if (await session.options.flushSite(domain)) return replyOf('250 Queuing started');
  session.options.events.emit({ kind: 'warning', text: `reject: ETRN ${args}... from ${clientText(session.client)}` });
  return replyOf(`459 <${args}>: service unavailable`);
}
