/** ETRN: starts deliveries to a site. RFC 1985, ETRN_README */
import { isAddressLiteral, isValidHostName } from '#address';
import { type CommandResult, replyOf } from '../command-result.ts';
import { checkPolicy } from '../policy-check.ts';
import type { Session } from '../session.ts';
import type { Arguments } from './index.ts';

export async function etrn(session: Session, { words }: Arguments): Promise<CommandResult> {
  if (session.settings.heloRequired && session.helo === undefined) return replyOf('503 Error: send HELO/EHLO first');
  if (session.transaction !== undefined) return replyOf('503 Error: MAIL transaction in progress');
  const [, word, ...more] = words;
  const { events, isStandAlone } = session.options;
  if (word === undefined || more.length > 0) return replyOf('500 Syntax: ETRN domain');
  const domain = word.text.replace(/^[@#]/, '');
  if (!isValidHostName(domain) && !isAddressLiteral(domain)) return replyOf('501 Error: invalid parameter syntax');
  if (isStandAlone) {
    events.emit({ kind: 'warning', text: 'do not use ETRN in "sendmail -bs" mode' });
    return replyOf('458 Unable to queue messages');
  }
  const verdict = await checkPolicy(session, 'etrn', { etrnDomain: domain });
  if (verdict.kind === 'reject') return replyOf(verdict.reply, verdict.hangsUp);
  if (await session.options.flushSite(domain)) return replyOf('250 Queuing started');
  events.emit({ kind: 'warning', text: `reject: ETRN ${domain}... from ${session.clientText}` });
  return replyOf(`459 <${domain}>: service unavailable`);
}
