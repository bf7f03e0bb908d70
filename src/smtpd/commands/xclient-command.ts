/** The XCLIENT and XFORWARD verbs. XCLIENT_README, XFORWARD_README */
import { type CommandResult, replyOf } from '../command-result.ts';
import type { Session } from '../session.ts';
import { applyOverrides } from './xclient.ts';

const words = (args: string): readonly string[] => args.split(/\s+/).filter((word) => word !== '');

export async function xclient(session: Session, args: string): Promise<CommandResult> {
  if (session.transaction !== undefined) return replyOf('503 5.5.1 Error: MAIL transaction in progress');
  if (!session.canXclient) return replyOf('550 5.7.0 Error: insufficient authorization');
  const start = { client: session.client, helo: undefined, protocol: undefined, login: undefined };
  const result = applyOverrides(words(args), start, 'XCLIENT');
  if (typeof result === 'string') return replyOf(result);
  const verdict = await session.becomeClient(result.client, result.helo, result.protocol, result.login);
  if (verdict?.kind === 'reject') return replyOf(verdict.reply, verdict.hangsUp);
  return replyOf(`220 ${session.settings.banner}`);
}

export function xforward(session: Session, args: string): CommandResult {
  if (session.transaction !== undefined) return replyOf('503 5.5.1 Error: MAIL transaction in progress');
  if (!session.canXforward) return replyOf('550 5.7.0 Error: insufficient authorization');
  const start = { client: session.logClient ?? session.client, helo: undefined, protocol: undefined, login: undefined };
  const result = applyOverrides(words(args), start, 'XFORWARD');
  if (typeof result === 'string') return replyOf(result);
  session.logClient = { ...result.client, heloName: result.helo ?? '', protocol: result.protocol ?? '' };
  return replyOf('250 2.0.0 Ok');
}
