/** The XCLIENT and XFORWARD verbs. XCLIENT_README, XFORWARD_README */
import { type CommandResult, replyOf } from '../command-result.ts';
import type { Session } from '../session.ts';
import type { Arguments } from './index.ts';
import { type Applied, applyOverrides, type Override } from './xclient.ts';

/** Whether the command may be given now; the reply if not. */
function refusalOf(session: Session, { words }: Arguments, command: 'XCLIENT' | 'XFORWARD'): CommandResult | undefined {
  const isAllowed = command === 'XCLIENT' ? session.canXclient : session.canXforward;
  if (session.transaction !== undefined) return replyOf('503 5.5.1 Error: MAIL transaction in progress');
  if (words.length < 2) return replyOf(`501 5.5.4 Syntax: ${command} attribute=value...`);
  return isAllowed ? undefined : replyOf('550 5.7.0 Error: insufficient authorization');
}

function overridesOf(
  { settings }: Session,
  { words }: Arguments,
  command: 'XCLIENT' | 'XFORWARD',
  start: Override,
): Applied {
  const attributes = words.slice(1).map(({ text }) => text);
  return applyOverrides(attributes, start, { command, families: settings.families, isUtf8: settings.smtputf8 });
}

const nothingSaid = {
  helo: undefined,
  protocol: undefined,
  login: undefined,
  ident: undefined,
  source: undefined,
} as const;

/** What XFORWARD does not tell is unknown, not the client's own. */
function unforwarded({ client }: Session): Override {
  return {
    ...nothingSaid,
    client: {
      ...client,
      name: 'unknown',
      nameStatus: 'unknown',
      address: 'unknown',
      port: 'unknown',
      heloName: '',
      protocol: '',
    },
  };
}

export async function xclient(session: Session, args: Arguments): Promise<CommandResult> {
  const refused = refusalOf(session, args, 'XCLIENT');
  if (refused !== undefined) return refused;
  const start = { ...nothingSaid, client: session.client };
  const { override, refusal } = overridesOf(session, args, 'XCLIENT', start);
  if (refusal !== undefined) {
    session.takeFacts(override);
    return replyOf(refusal);
  }
  await session.becomeClient(override);
  return { code: 220, lines: [], restarts: true };
}

export function xforward(session: Session, args: Arguments): CommandResult {
  const refused = refusalOf(session, args, 'XFORWARD');
  if (refused !== undefined) return refused;
  const { override, refusal } = overridesOf(
    session,
    args,
    'XFORWARD',
    session.forwarding.override ?? unforwarded(session),
  );
  // a command with a bad attribute tells nothing yet, but the next one goes on from there
  session.forwarding = { ...session.forwarding, override };
  if (refusal !== undefined) return replyOf(refusal);
  const tells = (names: RegExp): boolean => args.words.slice(1).some(({ text }) => names.test(text));
  if (tells(/^(?:NAME|ADDR|PORT|PROTO|HELO)=/i)) {
    const { client, helo = client.heloName, protocol = client.protocol } = override;
    session.forwarding = { ...session.forwarding, client: { ...client, heloName: helo, protocol } };
  }
  if (tells(/^IDENT=/i)) session.forwarding = { ...session.forwarding, queueId: override.ident ?? '' };
  if (tells(/^SOURCE=/i)) session.forwarding = { ...session.forwarding, isLocal: override.source !== 'REMOTE' };
  return replyOf('250 2.0.0 Ok');
}
