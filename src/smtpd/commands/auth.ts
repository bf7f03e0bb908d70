/** AUTH. RFC 4954; SASL_README; inventory e.2, e.7 */
import type { SaslExchange, SaslStep } from '#sasl';
import { isListed } from '../access-rights.ts';
import { type CommandResult, replyOf } from '../command-result.ts';
import { type LoginSettings, usableMechanisms } from '../login-settings.ts';
import { warn } from '../session-log.ts';
import type { Session } from '../session.ts';
import type { Arguments } from './index.ts';

/** Whether AUTH is there for this client now. */
async function offeredLogin(session: Session): Promise<LoginSettings | undefined> {
  const { login } = session.options;
  if (login === undefined || session.discarded.has('auth')) return undefined;
  if (login.needsTls && session.tls === undefined) return undefined;
  return (await isListed(login.exceptions, session.client)) ? undefined : login;
}

/** What EHLO says of AUTH; none when nobody can log in. */
export async function authKeywords(session: Session): Promise<readonly string[]> {
  if (session.saslUsername !== '') return [];
  const login = await offeredLogin(session);
  if (login === undefined) return [];
  const mechanisms = await usableMechanisms(login, session.tls !== undefined);
  if (mechanisms === undefined) warn(session, 'SASL: Connect to the authentication server failed');
  const names = (mechanisms ?? []).map(({ name }) => name).join(' ');
  if (names === '') return [];
  return login.announcesOldForm ? [`AUTH ${names}`, `AUTH=${names}`] : [`AUTH ${names}`];
}

export async function auth(session: Session, { words }: Arguments): Promise<CommandResult> {
  const { login: configured } = session.options;
  if (configured === undefined) return replyOf('503 5.5.1 Error: authentication not enabled');
  if (session.helo === undefined) return replyOf('503 5.5.1 Error: send HELO/EHLO first');
  if (configured.needsTls && session.tls === undefined) {
    return replyOf('504 5.5.4 Encryption required for requested authentication mechanism');
  }
  const login = await offeredLogin(session);
  if (login === undefined) return replyOf('503 5.5.1 Error: authentication not enabled');
  if (session.transaction !== undefined) return replyOf('503 5.5.1 Error: MAIL transaction in progress');
  if (session.saslUsername !== '') return replyOf('503 5.5.1 Error: already authenticated');
  const [, mechanism, initial, ...more] = words.map(({ text }) => text);
  if (mechanism === undefined || more.length > 0) return replyOf('501 5.5.4 Syntax: AUTH mechanism');
  const tooMany = await session.limits.refusalOf('auth');
  if (tooMany !== undefined) return tooMany;
  const usable = await usableMechanisms(login, session.tls !== undefined);
  if (usable?.some(({ name }) => name === mechanism.toUpperCase()) === false) {
    warn(
      session,
      `${session.clientText}: SASL ${mechanism.toUpperCase()} authentication failed: Invalid authentication mechanism`,
    );
    return replyOf('535 5.7.8 Error: authentication failed: Invalid authentication mechanism');
  }
  return converse(session, login, mechanism.toUpperCase(), initial);
}

async function converse(
  session: Session,
  login: LoginSettings,
  mechanism: string,
  initial: string | undefined,
): Promise<CommandResult> {
  const { client, tls } = session;
  const exchange = login.server.open({
    mechanism,
    service: login.service,
    localAddress: client.serverAddress,
    remoteAddress: client.address,
    isSecured: tls !== undefined,
    // RFC 4954, 4: a lone = is an empty response
    initialResponse: initial === '=' ? '' : initial,
  });
  let step = await exchange.start();
  while (step.kind === 'challenge') {
    const next = await respond(session, login, exchange, step.text);
    if ('code' in next) return next;
    step = next;
  }
  if (step.kind === 'authenticated') {
    session.saslUsername = withDomain(step.user, login.localDomain);
    session.saslMethod = mechanism;
    return replyOf('235 2.7.0 Authentication successful');
  }
  const user = step.user === '' ? '' : `, sasl_username=${step.user}`;
  const reason = step.reason === '' ? '(reason unavailable)' : step.reason;
  warn(session, `${session.clientText}: SASL ${mechanism} authentication failed: ${reason}${user}`);
  return step.isTemporary
    ? replyOf(`454 4.7.0 Temporary authentication failure: ${reason}`)
    : replyOf(`535 5.7.8 Error: authentication failed: ${reason}`);
}

/** One challenge and what the client says to it. */
async function respond(
  session: Session,
  login: LoginSettings,
  exchange: SaslExchange,
  challenge: string,
): Promise<SaslStep | CommandResult> {
  session.exchange.replies.sayPlain(334, [challenge]);
  const piece = await session.exchange.nextPiece();
  if (piece === undefined) {
    exchange.abandon();
    return { ...replyOf('421 4.4.2 Error: lost connection'), closes: true };
  }
  if (piece.kind !== 'line' || piece.text.length > login.responseLimit) {
    exchange.abandon();
    return replyOf('500 5.5.6 SASL response limit exceeded');
  }
  const text = piece.text.toString('latin1');
  if (text === '*') {
    exchange.abandon();
    warn(session, `${session.clientText}: SASL authentication aborted`);
    return replyOf('501 5.7.0 Authentication aborted');
  }
  return exchange.answer(text);
}

/** smtpd_sasl_local_domain */
function withDomain(user: string, domain: string): string {
  return domain === '' || user.includes('@') ? user : `${user}@${domain}`;
}
