/** TLS in the handshake with a server: whether it is there, has to be, and leads to the right one. RFC 3207; RFC 8689 */
import type { ServerFeatures } from './features.ts';
import type { Reply } from './reply.ts';
import { needsTls } from './require-tls.ts';
import { hasPassword } from './sasl.ts';
import type { Trust } from './server-verdict.ts';
import { startTls } from './starttls.ts';
import { demandsTls } from './tls-levels.ts';
import { turnedAway } from './refusal.ts';
import { failed, type Handshake, type HandshakeContext, hear, introduce, isSuccess } from './introduction.ts';

/** STARTTLS as the rules ask, and EHLO again inside it (RFC 3207, 4.2). */
export async function secure(context: HandshakeContext, features: ServerFeatures): Promise<Handshake> {
  const { settings, connection, attempt, events, tls, clientTls } = context;
  if (connection.isSecured) return { kind: 'ready', features: promised(context, features), delayDot: false };
  const isRequired = isTlsRequired(context);
  // what is said in plaintext of REQUIRETLS means nothing
  const plain: Handshake = { kind: 'ready', features: { ...features, requireTls: false }, delayDot: false };
  if (!features.startTls) {
    if (!isRequired) return plain;
    const { name } = connection;
    connection.tls.use = 'violated';
    if (needsTls(tls.requireTls)) return lacks(context, '5.7.30', `TLS service was not offered by host ${name}`);
    attempt.siteFailed({ code: '4.7.4', reason: `TLS is required, but was not offered by host ${name}` });
    return failed;
  }
  if (tls.level === 'none' || !(await clientTls.isAvailable())) {
    if (tls.level === 'none' && connection.tls.wanted === 'none' && settings.tls.noteOffer)
      events.emit({ kind: 'starttlsOffered', host: connection.endpoint.host });
    return isRequired ? unavailable(context) : plain;
  }
  connection.command('STARTTLS');
  const answer = await hear(context, settings.timeouts.startTls, 'receiving the STARTTLS response');
  if (answer === undefined) return failed;
  if (!isSuccess(answer)) return isRequired ? refusedTls(context, answer) : plain;
  const end = await beginTls(context);
  if (end !== undefined) return end;
  const inside = await introduce(context, true);
  return inside === undefined ? failed : { kind: 'ready', features: promised(context, inside), delayDot: false };
}

function isTlsRequired({ tls }: HandshakeContext): boolean {
  return demandsTls(tls.level) || needsTls(tls.requireTls);
}

function unavailable({ connection, attempt }: HandshakeContext): Handshake {
  connection.tls.use = 'violated';
  attempt.siteFailed({ code: '4.7.5', reason: 'TLS is required, but our TLS engine is unavailable' });
  return failed;
}

/** Shakes hands, and looks at who the server is; undefined: it is one that the mail may go to. */
export async function beginTls(context: HandshakeContext): Promise<Handshake | undefined> {
  const { connection, attempt, tls, clientTls } = context;
  if (!(await clientTls.isAvailable())) return unavailable(context);
  const server = await startTls(context);
  if (server === 'askAgain') return { kind: 'retryTls' };
  if (server === undefined) {
    const reason = 'Cannot start TLS: handshake failure';
    if (await mayRetryPlain(context)) {
      context.events.emit({ kind: 'hostSkipped', queueId: attempt.request.queueId, reason });
      return { kind: 'retryPlain' };
    }
    connection.tls.use = 'violated';
    attempt.siteFailed({ code: '4.7.5', reason });
    return failed;
  }
  const { trust } = server;
  if (!server.isWanted) {
    connection.tls.use = 'violated';
    attempt.siteFailed({ code: '4.7.5', reason: 'Server certificate not verified' });
    return failed;
  }
  if (await mayRetryPlain(context)) attempt.noteOptionalTls();
  return tls.requireTls === 'enforce' && trust !== 'Verified' ? unknownServer(context, trust) : undefined;
}

/** Mail that has waited before goes out without TLS where TLS fails, unless we log in. smtp(8) */
async function mayRetryPlain(context: HandshakeContext): Promise<boolean> {
  const { settings, attempt, connection, sasl, nexthop } = context;
  // what begins with TLS has no plaintext to go back to
  if (isTlsRequired(context) || settings.tls.wrapperMode) return false;
  const { activeAt, envelope } = attempt.request;
  // in whole seconds, as qmgr(8) reckons: the first attempt after the wait is not too early by a part of one
  if (secondOf(activeAt) - secondOf(envelope.arrivedAt) < settings.minimalBackoffMs / 1000) return false;
  return sasl === undefined || !(await hasPassword(sasl, { connection, nexthop, sender: envelope.sender }));
}

function secondOf(at: number): number {
  return Math.floor(at / 1000);
}

/** STARTTLS was announced and is refused. */
function refusedTls(context: HandshakeContext, answer: Reply): Handshake {
  const { connection, attempt, tls } = context;
  connection.tls.use = 'violated';
  const text = `host ${connection.name} refused to start TLS: ${answer.text.replaceAll('\n', ' ')}`;
  if (needsTls(tls.requireTls)) return lacks(context, '5.7.10', text);
  attempt.siteFailed({ ...turnedAway(connection, answer), reason: `TLS is required, but ${text}` });
  return failed;
}

/** REQUIRETLS wants a server that is known by its certificate. */
function unknownServer(context: HandshakeContext, trust: Trust): Handshake {
  const missing = trust === 'Trusted' ? 'matching' : 'trusted';
  const { name } = context.connection;
  const text = `no ${missing} server certificate was found. The last attempted server was ${name}`;
  return lacks(context, '5.7.10', text);
}

function lacks({ attempt }: HandshakeContext, code: string, text: string): Handshake {
  attempt.serverLacks({ code, reason: `REQUIRETLS Failure: sender requested REQUIRETLS, but ${text}` });
  return failed;
}

/** What is announced inside TLS; REQUIRETLS only counts for mail that asks for it. */
function promised({ tls, events, attempt, connection }: HandshakeContext, inside: ServerFeatures): ServerFeatures {
  if (tls.requireTls === 'disable') return { ...inside, requireTls: false };
  if (!inside.requireTls) {
    const { queueId } = attempt.request;
    const what = 'sender requested REQUIRETLS, but REQUIRETLS support was not offered';
    events.emit({ kind: 'note', text: `${queueId}: REQUIRETLS Debug: ${what} by host ${connection.name}` });
  }
  return inside;
}
