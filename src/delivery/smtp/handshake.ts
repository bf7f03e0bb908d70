/**
 * From a fresh connection to a server that is ready for MAIL: greeting, EHLO (HELO, LHLO), STARTTLS, AUTH.
 *
 * Every way this can go wrong is told to the attempt; the caller only learns whether to go on.
 */
import type { EventChannel } from '#events';
import type { Status } from '#message';
import type { MaybePromise } from '#message';
import { discardedKeywordNames } from '#smtp';
import type { Connection, Heard } from './connection.ts';
import { noFeatures, parseFeatures, type ServerFeatures } from './features.ts';
import type { Reply } from './reply.ts';
import { logIn, type SaslRules } from './sasl.ts';
import type { SmtpSettings } from './settings.ts';
import { needsTls } from './require-tls.ts';
import { startTls, type TlsStart } from './starttls.ts';
import type { TlsRules } from './tls-policy.ts';
import { turnedAway } from './refusal.ts';
import type { Attempt } from './trouble.ts';

export interface HandshakeContext {
  readonly settings: SmtpSettings;
  readonly attempt: Attempt;
  readonly connection: Connection;
  readonly events: EventChannel;
  readonly tls: TlsRules;
  /** Mail to port 25: our own name in an answer is a loop. */
  readonly detectLoop: boolean;
  /** The server has the best preference of its destination. */
  readonly isBestMx: boolean;
  readonly sasl: SaslRules | undefined;
  /** The destination as written. */
  readonly nexthop: string;
  /** EHLO keywords to overlook for this server, upper case. */
  readonly ignoredKeywords: (address: string) => MaybePromise<readonly string[] | undefined>;
  /** smtp_pix_workaround_maps, else smtp_pix_workarounds. */
  readonly pixWorkarounds: (address: string) => MaybePromise<readonly string[] | undefined>;
}

export interface ReadyServer {
  readonly kind: 'ready';
  readonly features: ServerFeatures;
  /** Wait before the final dot, for firewalls that can't bear it apart from its CR LF. */
  readonly delayDot: boolean;
}

export type Handshake =
  | ReadyServer
  /** The attempt has been told. */
  | { readonly kind: 'failed' }
  /** An opportunistic TLS handshake failed: the same address once more, in plaintext. */
  | { readonly kind: 'retryPlain' };

const failed: Handshake = { kind: 'failed' };

/** Runs the handshake. */
export async function shakeHands(context: HandshakeContext): Promise<Handshake> {
  const { settings, attempt, connection } = context;
  const greeting = await hear(context, settings.timeouts.helo, 'receiving the initial server greeting');
  if (greeting === undefined) return failed;
  if (!isSuccess(greeting)) {
    attempt.siteFailed(greetingRefusal(settings, connection, greeting));
    return failed;
  }
  const pix = await pixWords(context, greeting);
  const esmtp = saysEsmtp(context, greeting, pix.includes('disable_esmtp'));
  const features = await introduce(context, esmtp);
  if (features === undefined) return failed;
  const secured = await secure(context, features);
  if (secured.kind !== 'ready') return secured;
  connection.tls.use = 'settled';
  if (context.sasl !== undefined && !(await authenticated(context, context.sasl, secured.features))) return failed;
  return { ...secured, delayDot: pix.includes('delay_dotcrlf') };
}

/** Whether a login that is due went well; the attempt has been told otherwise. */
async function authenticated(context: HandshakeContext, rules: SaslRules, features: ServerFeatures): Promise<boolean> {
  const { connection, attempt, settings, nexthop } = context;
  const { sender } = attempt.request.envelope;
  // replies come one by one here, also with PIPELINING
  const login = await logIn(rules, { connection, features, sender, nexthop, timeoutMs: settings.timeouts.helo });
  if (login.kind === 'done') return true;
  if (login.kind === 'refused') attempt.siteFailed(login.status);
  else attempt.brokeOff(login.heard.kind, 'performing the EHLO handshake');
  return false;
}

/** A 5xx greeting counts as temporary: another server may be kinder (smtp_skip_5xx_greeting). */
function greetingRefusal(settings: SmtpSettings, connection: Connection, greeting: Reply): Status {
  const status = turnedAway(connection, greeting);
  return settings.skip5xxGreeting && status.code.startsWith('5')
    ? { ...status, code: `4${status.code.slice(1)}` }
    : status;
}

function isSuccess(reply: Reply): boolean {
  return reply.code >= 200 && reply.code < 300;
}

/** The next reply; undefined when there is none, which the attempt has been told. */
async function hear(context: HandshakeContext, timeoutMs: number, doing: string): Promise<Reply | undefined> {
  const heard: Heard = await context.connection.next(timeoutMs);
  if (heard.kind === 'reply') return heard.reply;
  context.connection.isSpent = true;
  context.attempt.brokeOff(heard.kind, doing);
  return undefined;
}

/** A greeting of nothing but `220 ****` betrays a Cisco PIX. */
async function pixWords(context: HandshakeContext, greeting: Reply): Promise<readonly string[]> {
  if (!/^[20 *\t\n]*$/.test(greeting.text)) return [];
  const { connection, settings, attempt, events } = context;
  const words = (await context.pixWorkarounds(connection.endpoint.address)) ?? [];
  const { arrivedAt } = attempt.request.envelope;
  const isOld = attempt.request.startedAt - arrivedAt >= settings.pixThresholdMs;
  const names = words.filter((word) => word !== 'delay_dotcrlf' || isOld);
  if (names.length > 0) {
    events.emit({ kind: 'pixWorkarounds', queueId: attempt.request.queueId, names, server: connection.label });
  }
  return names;
}

function saysEsmtp(context: HandshakeContext, greeting: Reply, noEsmtp: boolean): boolean {
  const { settings, connection, detectLoop, events } = context;
  const [first = '', ...rest] = greeting.text.slice(4).split(/[\s-]+/);
  if (first.toLowerCase() === settings.myHostname.toLowerCase() && detectLoop) {
    events.emit({
      kind: 'warning',
      text: `host ${connection.label} greeted me with my own hostname ${settings.myHostname}`,
    });
  }
  if (settings.protocol === 'lmtp') return true;
  if (noEsmtp || settings.neverEhlo) return false;
  return settings.alwaysEhlo || rest.some((word) => word.toUpperCase() === 'ESMTP');
}

/** EHLO, HELO or LHLO; undefined when the server does not want us. */
async function introduce(context: HandshakeContext, esmtp: boolean): Promise<ServerFeatures | undefined> {
  const { settings, connection, attempt, events } = context;
  const verb = settings.protocol === 'lmtp' ? 'LHLO' : 'EHLO';
  let answer: Reply | undefined;
  if (esmtp) {
    connection.command(`${verb} ${settings.heloName}`);
    answer = await hear(context, settings.timeouts.helo, `performing the ${verb} handshake`);
    if (answer === undefined) return undefined;
    if (!isSuccess(answer)) {
      if (answer.code === 421 || verb === 'LHLO') {
        attempt.siteFailed(turnedAway(connection, answer));
        return undefined;
      }
      answer = undefined;
    }
  }
  if (answer === undefined) {
    connection.command(`HELO ${settings.heloName}`);
    const heloAnswer = await hear(context, settings.timeouts.helo, 'performing the HELO handshake');
    if (heloAnswer === undefined) return undefined;
    if (!isSuccess(heloAnswer)) {
      attempt.siteFailed(turnedAway(connection, heloAnswer));
      return undefined;
    }
    const serverName = heloAnswer.text.slice(4).split(/\s+/)[0] ?? '';
    return isLoop(context, serverName) ? undefined : { ...noFeatures, serverName };
  }
  const ignored = await context.ignoredKeywords(connection.endpoint.address);
  if (ignored === undefined) {
    const { address } = connection.endpoint;
    const text = `${settings.parameter('discard_ehlo_keyword_address_maps')} map lookup error for ${address}`;
    events.emit({ kind: 'warning', text: `${attempt.request.queueId}: ${text}` });
    attempt.brokeOff('unjudged', 'performing the EHLO handshake');
    return undefined;
  }
  const names = discardedKeywordNames(new Set(ignored.map((word) => word.toLowerCase())));
  if (names.length > 0) events.emit({ kind: 'discardedKeywords', names });
  const features = parseFeatures(answer, ignored, (word) =>
    events.emit({ kind: 'warning', text: `bad ${verb} SIZE limit "${word}" from ${connection.label}` }),
  );
  if (isLoop(context, features.serverName)) return undefined;
  connection.isPipelining = features.pipelining;
  return features;
}

/** Our own name in the answer: mail would come back to us (RFC 5321, 6.3). */
function isLoop(context: HandshakeContext, serverName: string): boolean {
  const { settings, connection, attempt, events, detectLoop, isBestMx } = context;
  if (!detectLoop || serverName.toLowerCase() !== settings.myHostname.toLowerCase()) return false;
  events.emit({
    kind: 'warning',
    text: `host ${connection.label} replied to HELO/EHLO with my own hostname ${settings.myHostname}`,
  });
  attempt.siteFailed({
    code: isBestMx ? '5.4.6' : '4.4.6',
    reason: `mail for ${attempt.request.nexthop} loops back to myself`,
  });
  return true;
}

/** STARTTLS as the rules ask, and EHLO again inside it (RFC 3207, 4.2). */
async function secure(context: HandshakeContext, features: ServerFeatures): Promise<Handshake> {
  const { settings, connection, attempt, events, tls } = context;
  const isRequired = tls.level === 'encrypt' || needsTls(tls.requireTls);
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
  if (tls.level === 'none') {
    if (settings.tls.noteOffer) events.emit({ kind: 'starttlsOffered', host: connection.endpoint.host });
    if (!isRequired) return plain;
    connection.tls.use = 'violated';
    attempt.siteFailed({ code: '4.7.5', reason: 'TLS is required, but our TLS engine is unavailable' });
    return failed;
  }
  connection.command('STARTTLS');
  const answer = await hear(context, settings.timeouts.startTls, 'receiving the STARTTLS response');
  if (answer === undefined) return failed;
  if (!isSuccess(answer)) return isRequired ? refusedTls(context, answer) : plain;
  const result = await startTls(connection, settings);
  if (result.kind === 'failed') {
    events.emit({ kind: 'tlsFailed', server: connection.label, reason: result.reason });
    connection.destroy();
    if (!isRequired) return { kind: 'retryPlain' };
    connection.tls.use = 'violated';
    attempt.siteFailed({ code: '4.7.5', reason: 'Cannot start TLS: handshake failure' });
    return failed;
  }
  if (settings.tls.logLevel > 0) events.emit({ kind: 'tlsEstablished', server: connection.label, ...result.facts });
  if (tls.requireTls === 'enforce') return unknownServer(context, result.facts.trust);
  const inside = await introduce(context, true);
  return inside === undefined ? failed : { kind: 'ready', features: promised(context, inside), delayDot: false };
}

/** STARTTLS was announced and is refused. */
function refusedTls(context: HandshakeContext, answer: Reply): Handshake {
  const { connection, attempt, tls } = context;
  connection.tls.use = 'violated';
  const text = `host ${connection.name} refused to start TLS: ${answer.text.replaceAll('\n', ' ')}`;
  if (needsTls(tls.requireTls)) return lacks(context, '5.7.10', text);
  attempt.siteFailed({ ...turnedAway(connection, answer), code: '4.7.4', reason: `TLS is required, but ${text}` });
  return failed;
}

/** No level that this client keeps matches certificates, as REQUIRETLS wants it: the server is not known for sure. */
function unknownServer(
  context: HandshakeContext,
  trust: Extract<TlsStart, { readonly kind: 'started' }>['facts']['trust'],
): Handshake {
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
