/** HELO and EHLO. RFC 5321, 4.1.1.1 */
import { type CommandResult, replyOf } from '../command-result.ts';
import type { Session } from '../session.ts';
import { ehloKeywords } from './ehlo-keywords.ts';

async function greet(session: Session, name: string, protocol: 'SMTP' | 'ESMTP'): Promise<CommandResult> {
  const { settings } = session;
  const before = session.helo;
  session.resetTransaction();
  session.helo = name.split(/\s/)[0] ?? '';
  session.protocol = protocol;
  const verdict = settings.delayReject ? undefined : await session.check('helo');
  if (verdict?.kind === 'reject') {
    session.helo = before;
    return replyOf(verdict.reply, verdict.hangsUp);
  }
  if (protocol === 'SMTP') return replyOf(`250 ${settings.myhostname}`);
  return {
    code: 250,
    lines: [
      settings.myhostname,
      ...ehloKeywords(settings, { xclient: session.canXclient, xforward: session.canXforward }),
    ],
  };
}

export function helo(session: Session, args: string): CommandResult | Promise<CommandResult> {
  return args === '' ? replyOf('501 Syntax: HELO hostname') : greet(session, args, 'SMTP');
}

export function ehlo(session: Session, args: string): CommandResult | Promise<CommandResult> {
  return args === '' ? replyOf('501 Syntax: EHLO hostname') : greet(session, args, 'ESMTP');
}
