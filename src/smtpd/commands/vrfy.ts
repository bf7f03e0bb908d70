/** VRFY: never says whether a mailbox exists, but applies the recipient rules. RFC 5321, 3.5 */
import { pathAddress } from '#smtp';
import { type CommandResult, replyOf } from '../command-result.ts';
import { checkPolicy } from '../policy-check.ts';
import type { Session } from '../session.ts';
import { checkRoutable, refusalOfUtf8, refuseAddress } from './address-check.ts';
import type { Arguments } from './index.ts';

export async function vrfy(session: Session, { words }: Arguments): Promise<CommandResult> {
  if (session.settings.disableVrfy) return replyOf('502 5.5.1 VRFY command is disabled');
  const given = words.slice(1);
  const canBeUtf8 = session.settings.smtputf8 && !session.discarded.has('smtputf8');
  const isUtf8 = canBeUtf8 && given.at(-1)?.text.toUpperCase() === 'SMTPUTF8';
  if (isUtf8) given.pop();
  if (given.length === 0) return replyOf('501 5.5.4 Syntax: VRFY address [SMTPUTF8]');
  const tooMuch = await session.limits.refusalOf('recipient');
  if (tooMuch !== undefined) return tooMuch;
  const text = given.map((word) => word.text).join(' ');
  const address = pathAddress(text, { strict: false });
  const refusal = { text, command: 'VRFY', reply: '501 5.1.3 Bad recipient address syntax' };
  if (address === undefined || address === '') return refuseAddress(session, refusal);
  const unroutable = await checkRoutable(session, address, { ...refusal, isUtf8 });
  if (unroutable !== undefined) return unroutable;
  const undeclared = refusalOfUtf8(session, address, isUtf8);
  if (undeclared !== undefined) return undeclared;
  const verdict = await checkPolicy(session, 'vrfy', { recipient: address });
  return verdict.kind === 'reject' ? replyOf(verdict.reply, verdict.hangsUp) : replyOf(`252 2.0.0 ${text}`);
}
