/** How a client introduces itself: EHLO, HELO, LHLO, and what the server announces. RFC 5321, 4.1.1.1 */
import type { MaybePromise } from '#message';
import { discardedKeywordNames } from '#smtp';
import { noFeatures, parseFeatures, type ServerFeatures } from './features.ts';
import type { Reply } from './reply.ts';
import type { Heard } from './reply-queue.ts';
import type { SaslRules } from './sasl.ts';
import type { TlsContext } from './starttls.ts';
import { turnedAway, warnOfGarbage } from './refusal.ts';
import type { Attempt } from './trouble.ts';

export interface HandshakeContext extends TlsContext {
  readonly attempt: Attempt;
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
  | { readonly kind: 'retryPlain' }
  /** Who vouches for the server is known now: the same address once more. */
  | { readonly kind: 'retryTls' };

export const failed: Handshake = { kind: 'failed' };

export function isSuccess(reply: Reply): boolean {
  return reply.code >= 200 && reply.code < 300;
}

/** The next reply; undefined when there is none, which the attempt has been told. */
export async function hear(context: HandshakeContext, timeoutMs: number, doing: string): Promise<Reply | undefined> {
  const heard: Heard = await context.connection.next(timeoutMs);
  if (heard.kind === 'reply') return heard.reply;
  const { attempt, connection, events } = context;
  connection.isSpent = true;
  if (heard.kind === 'garbage') {
    const warn = (text: string): void => events.emit({ kind: 'warning', text });
    warnOfGarbage({ ...context, warn }, heard.line);
  }
  attempt.brokeOff(heard.kind, doing);
  // who says nothing is told nothing: it would be waited for once more
  if (heard.kind === 'timeout') connection.destroy();
  return undefined;
}

/** EHLO, HELO or LHLO; undefined when the server does not want us. */
export async function introduce(context: HandshakeContext, esmtp: boolean): Promise<ServerFeatures | undefined> {
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
    connection.isPipelining = false;
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
    const text = `${settings.discardKeywordMaps} map lookup error for ${address}`;
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
