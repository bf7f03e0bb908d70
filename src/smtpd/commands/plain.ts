/** RSET, NOOP, HELP, QUIT. RFC 5321, 4.1.1 */
import { type CommandResult, replyOf } from '../command-result.ts';
import type { Session } from '../session.ts';
import type { Arguments } from './index.ts';

export function rset(session: Session, { words }: Arguments): CommandResult {
  if (words.length > 1) return replyOf('501 5.5.4 Syntax: RSET');
  session.exchange.transcript.reset(session.settings.historyThreshold);
  session.resetTransaction();
  return replyOf('250 2.0.0 Ok');
}

export function noop(): CommandResult {
  return replyOf('250 2.0.0 Ok');
}

export function help(): CommandResult {
  return replyOf(
    '214 2.0.0 Commands: AUTH BDAT DATA EHLO ETRN HELO HELP MAIL NOOP QUIT RCPT RSET STARTTLS VRFY XCLIENT XFORWARD',
  );
}

export function quit(): CommandResult {
  return replyOf('221 2.0.0 Bye', true);
}
