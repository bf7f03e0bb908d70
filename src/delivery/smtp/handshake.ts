/**
 * From a fresh connection to a server that is ready for MAIL: greeting, EHLO (HELO, LHLO), STARTTLS, AUTH.
 *
 * Every way this can go wrong is told to the attempt; the caller only learns whether to go on.
 */
import type { Status } from '#message';
import { softened } from './addresses.ts';
import type { Connection } from './connection.ts';
import type { ServerFeatures } from './features.ts';
import type { Reply } from './reply.ts';
import { logIn, type SaslRules } from './sasl.ts';
import type { SmtpSettings } from './settings.ts';
import { turnedAway } from './refusal.ts';
import { beginTls, secure } from './handshake-tls.ts';
import { failed, type Handshake, type HandshakeContext, hear, introduce, isSuccess } from './introduction.ts';

/** Runs the handshake. */
export async function shakeHands(context: HandshakeContext): Promise<Handshake> {
  const { settings, attempt, connection } = context;
  if (settings.tls.wrapperMode) {
    const wrapped = await beginTls(context);
    if (wrapped !== undefined) return wrapped;
  }
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
  const { connection, attempt, settings, nexthop, events } = context;
  const { queueId, envelope } = attempt.request;
  const warn = (text: string): void => events.emit({ kind: 'warning', text });
  const timeoutMs = settings.timeouts.helo;
  // replies come one by one here, also with PIPELINING
  const login = await logIn(rules, { connection, features, sender: envelope.sender, nexthop, timeoutMs, warn });
  if (login.kind === 'done') return true;
  if (login.kind === 'refused') attempt.siteFailed(login.status);
  else {
    if (login.how === 'unjudged') warn(`${queueId}: ${settings.protocol}_sasl_password_maps lookup error`);
    attempt.brokeOff(login.how, 'performing the EHLO handshake');
    if (login.how === 'timeout') connection.destroy();
  }
  return false;
}

/** A 5xx greeting, and no other, counts as temporary: another server may be kinder (smtp_skip_5xx_greeting). */
function greetingRefusal(settings: SmtpSettings, connection: Connection, greeting: Reply): Status {
  const status = turnedAway(connection, greeting);
  return settings.skip5xxGreeting && greeting.code >= 500 && greeting.code < 600 ? softened(status) : status;
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
  // the host name is the first of them, where there is one
  const words = greeting.text.slice(4).trim().toLowerCase().split(/\s+/);
  if (words[0] === settings.myHostname.toLowerCase() && detectLoop) {
    events.emit({
      kind: 'warning',
      text: `host ${connection.label} greeted me with my own hostname ${settings.myHostname}`,
    });
  }
  if (settings.protocol === 'lmtp') return true;
  if (noEsmtp || settings.neverEhlo) return false;
  return settings.alwaysEhlo || words.includes('esmtp');
}
