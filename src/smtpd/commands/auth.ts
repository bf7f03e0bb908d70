/** AUTH. RFC 4954; SASL_README */
import type { SaslExchange, SaslOutcome, SaslStep } from '#sasl';
import { type CommandResult, replyOf } from '../command-result.ts';
import type { LoginSettings } from '../login-settings.ts';
import { warn } from '../session-log.ts';
import type { Session } from '../session.ts';
import type { Arguments } from './index.ts';

const maxLogged = 100;

export async function auth(session: Session, { words }: Arguments): Promise<CommandResult> {
  const { login, options, settings } = session;
  // a server that others speak through counts nobody
  const tooMany = session.canXclient ? undefined : await session.limits.refusalOf('auth');
  if (tooMany !== undefined) return tooMany;
  if (settings.heloRequired && session.helo === undefined) return replyOf('503 5.5.1 Error: send HELO/EHLO first');
  if (options.login === undefined || login.mechanisms === undefined || session.discarded.has('auth')) {
    return replyOf('503 5.5.1 Error: authentication not enabled');
  }
  if (session.transaction !== undefined) return replyOf('503 5.5.1 Error: MAIL transaction in progress');
  if (login.user !== '') return replyOf('503 5.5.1 Error: already authenticated');
  const [, mechanism, initial, ...more] = words.map(({ text }) => text);
  if (mechanism === undefined || more.length > 0) return replyOf('501 5.5.4 Syntax: AUTH mechanism');
  const isKnown = login.mechanisms.some(({ name }) => name.toUpperCase() === mechanism.toUpperCase());
  return isKnown
    ? converse(session, options.login, mechanism, initial)
    : resultOf(session, mechanism, options.login.server.words.badMechanism(mechanism, initial));
}

async function converse(
  session: Session,
  settings: LoginSettings,
  mechanism: string,
  initial: string | undefined,
): Promise<CommandResult> {
  const { client, tls } = session;
  const exchange = settings.server.open({
    mechanism,
    service: settings.service,
    localAddress: client.serverAddress,
    remoteAddress: client.address === 'unknown' ? '' : client.address,
    isSecured: tls !== undefined,
    initialResponse: initial,
  });
  let step = await exchange.start();
  while (step.kind === 'challenge') {
    const next = await respond(session, { settings, mechanism, exchange }, step.text);
    if ('code' in next) {
      exchange.abandon();
      return next;
    }
    step = next;
  }
  return resultOf(session, mechanism, step);
}

interface Dialogue {
  readonly settings: LoginSettings;
  readonly mechanism: string;
  readonly exchange: SaslExchange;
}

/** One challenge and what comes of the client's response; a reply ends the exchange. */
async function respond(
  session: Session,
  { settings, mechanism, exchange }: Dialogue,
  challenge: string,
): Promise<SaslStep | CommandResult> {
  session.exchange.replies.challenge(challenge);
  const piece = await session.exchange.nextLongLine(settings.responseLimit);
  if (piece === undefined) return { ...replyOf('421 4.4.2 Error: lost connection'), closes: true };
  if (piece.kind !== 'line') {
    const start = piece.kind === 'longLine' ? piece.text.toString('utf8', 0, 30) : '';
    warn(session, `${session.clientText}: request longer than ${settings.responseLimit}: ${start}...`);
    return replyOf('500 5.5.6 SASL response limit exceeded');
  }
  const text = piece.text.toString('latin1');
  if (text !== '*') return exchange.answer(text);
  warn(session, `${session.clientText}: SASL ${mechanism} authentication aborted`);
  return replyOf('501 5.7.0 Authentication aborted');
}

/** Fit for the log and a reply. */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- what must not reach the wire
  return text.replaceAll(/[\x00-\x1f\x7f\uFFFD]/g, '?');
}

/** The end of an exchange, in the log and as a reply. */
function resultOf(session: Session, mechanism: string, outcome: SaslOutcome): CommandResult {
  const { login } = session;
  for (const text of outcome.warnings ?? []) warn(session, text);
  if (outcome.kind === 'authenticated') {
    login.user = printable(outcome.user);
    login.method = mechanism;
    return replyOf('235 2.7.0 Authentication successful');
  }
  if (outcome.verdict !== undefined) login.lastNamed = outcome.verdict.user;
  const reason = outcome.reason === '' ? '(reason unavailable)' : printable(outcome.reason);
  const user = printable(login.lastNamed ?? '(unavailable)').slice(0, maxLogged);
  const what = `SASL ${mechanism.slice(0, maxLogged)} authentication failed`;
  warn(session, `${session.clientText}: ${what}: ${reason}, sasl_username=${user}`);
  return outcome.isTemporary
    ? replyOf(`454 4.7.0 Temporary authentication failure: ${reason}`)
    : replyOf(`535 5.7.8 Error: authentication failed: ${reason}`);
}
