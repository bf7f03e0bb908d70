/** The XCLIENT and XFORWARD verbs. XCLIENT_README, XFORWARD_README */
import { type CommandResult, replyOf } from '../command-result.ts';
import type { Session } from '../session.ts';
import type { Arguments } from './index.ts';
import { applyOverrides, type Override } from './xclient.ts';

function overridesOf(
  session: Session,
  { words }: Arguments,
  command: 'XCLIENT' | 'XFORWARD',
): Override | CommandResult {
  const isAllowed = command === 'XCLIENT' ? session.canXclient : session.canXforward;
  if (session.transaction !== undefined) return replyOf('503 5.5.1 Error: MAIL transaction in progress');
  if (words.length < 2) return replyOf(`501 5.5.4 Syntax: ${command} attribute=value...`);
  if (!isAllowed) return replyOf('550 5.7.0 Error: insufficient authorization');
  const client = command === 'XCLIENT' ? session.client : (session.logClient ?? unforwarded(session));
  const start = { client, helo: undefined, protocol: undefined, login: undefined, ident: undefined, source: undefined };
  const result = applyOverrides(
    words.slice(1).map(({ text }) => text),
    start,
    command,
    session.settings.families,
  );
  return typeof result === 'string' ? replyOf(result) : result;
}

/** What XFORWARD does not tell is unknown, not the client's own. */
function unforwarded({ client }: Session): Session['client'] {
  return {
    ...client,
    name: 'unknown',
    nameStatus: 'unknown',
    address: 'unknown',
    port: 'unknown',
    heloName: '',
    protocol: '',
  };
}

export async function xclient(session: Session, args: Arguments): Promise<CommandResult> {
  const result = overridesOf(session, args, 'XCLIENT');
  if ('code' in result) return result;
  await session.becomeClient(result);
  return { code: 220, lines: [], restarts: true };
}

export function xforward(session: Session, args: Arguments): CommandResult {
  const result = overridesOf(session, args, 'XFORWARD');
  if ('code' in result) return result;
  if (args.words.slice(1).some(({ text }) => !/^(?:IDENT|SOURCE)=/i.test(text))) {
    session.logClient = {
      ...result.client,
      heloName: result.helo ?? result.client.heloName,
      protocol: result.protocol ?? result.client.protocol,
    };
  }
  if (result.ident !== undefined) session.forwardedQueueId = result.ident;
  if (result.source !== undefined) session.forwardedLocally = result.source !== 'REMOTE';
  return replyOf('250 2.0.0 Ok');
}
