/**
 * The SMTP and LMTP delivery agent: destinations and servers of one request, in order (smtp(8), lmtp(8)).
 *
 * Each server gets all recipients that are left; what it refuses softly goes on to the next one in the same attempt.
 */
import type { DeliveryAgent, DeliveryResult, Outcome, Status } from '#message';
import { openPassage, passageNote } from '../pass-on.ts';
import type { ServerAddress } from './addresses.ts';
import { type Client, createClient, type SmtpAgentOptions } from './client.ts';
import type { KeptConnection } from './connection-cache.ts';
import { checkDeliveredHeaders } from './delivered-headers.ts';
import { daneRulesFor } from './dane.ts';
import { parseDestination, splitDestinations } from './destination.ts';
import { endpointOf, findRoute, type Route } from './route.ts';
import { mayReuse, openSession, runSession } from './session.ts';
import type { SmtpSettings } from './settings.ts';
import { demandsTls, isDane } from './tls-levels.ts';
import { type TlsRules, tlsRulesFor } from './tls-policy.ts';
import { Attempt } from './trouble.ts';

/** An agent for one service of master.cf (smtp, lmtp, relay …). */
export function createSmtpAgent(options: SmtpAgentOptions): DeliveryAgent {
  const client = createClient(options);
  return {
    deliver: (request, report) => deliverInTime(client, new Attempt(client.attemptTools, request, report), report),
    close: () => client.cache.close(),
  };
}

/** A server that goes on talking, with every reply in time, must not hold a delivery for ever. daemon_timeout */
async function deliverInTime(
  client: Client,
  attempt: Attempt,
  report: (outcome: Outcome) => void,
): Promise<DeliveryResult> {
  const { daemonTimeoutMs } = client.settings;
  const timer = setTimeout(() => {
    client.warn(
      `${attempt.request.queueId}: the delivery has no end after ${daemonTimeoutMs / 1000}s (daemon_timeout): giving up`,
    );
    attempt.breakOff();
  }, daemonTimeoutMs);
  try {
    return await deliver(client, attempt, report);
  } finally {
    clearTimeout(timer);
  }
}

async function deliver(client: Client, attempt: Attempt, report: (outcome: Outcome) => void): Promise<DeliveryResult> {
  const { settings } = client;
  const { request } = attempt;
  const barred = unsupported(settings);
  if (barred === undefined) {
    await checkDeliveredHeaders(client, attempt);
    const sites = attempt.isDone ? [] : splitDestinations(request.nexthop);
    const all = attempt.isDone ? [] : [...sites, ...settings.fallbackRelays];
    let tried = 0;
    for (const text of all) {
      tried++;
      attempt.isFinalNexthop = tried === all.length;
      await tryDestination(client, attempt, text);
      if (attempt.isDone || attempt.isFinalNexthop || attempt.isOverdue) break;
    }
    const passing = judgeConfiguration(client, attempt, tried > sites.length, report);
    const passed = passing === undefined ? undefined : await passing;
    if (passed !== undefined) {
      await attempt.told();
      return passed;
    }
  } else {
    attempt.why = barred;
  }
  await attempt.finish();
  return attempt.siteFailure === undefined ? {} : { siteFailure: attempt.siteFailure };
}

/** What the settings demand and this client can't do: mail waits rather than leave without it. */
function unsupported(settings: SmtpSettings): Status | undefined {
  const because = (what: string): Status => ({
    code: '4.7.5',
    reason: `client configuration problem: ${what} is not supported by this version`,
  });
  if (settings.tls.perSite) return because(settings.parameter('tls_per_site'));
  return undefined;
}

/** A relay that can't work is a mistake of ours, not of the sender: mail waits (smtp_connect.c). */
function judgeConfiguration(
  client: Client,
  attempt: Attempt,
  isFallback: boolean,
  report: (outcome: Outcome) => void,
): Promise<DeliveryResult | undefined> | undefined {
  const { settings } = client;
  const { why, request } = attempt;
  if (attempt.isDone || why === undefined || !why.code.startsWith('5')) return undefined;
  const isRelayHost = settings.protocol === 'smtp' && request.nexthop === settings.relayHost;
  if (isFallback || isRelayHost) {
    client.warn(`${isFallback ? settings.parameter('fallback_relay') : 'relayhost'} configuration problem`);
    attempt.why = { ...why, code: '4.3.5' };
    return undefined;
  }
  if (settings.protocol === 'smtp' && isLoop(why) && settings.bestMxTransport !== '')
    return passToBestMx(client, attempt, report);
  return undefined;
}

/**
 * This host is the best server for a domain that main.cf does not name: one recipient goes after the other to the
 * transport that takes such mail; undefined when there is none. postconf(5) best_mx_transport
 */
async function passToBestMx(
  { options, settings, warn }: Client,
  attempt: Attempt,
  report: (outcome: Outcome) => void,
): Promise<DeliveryResult | undefined> {
  const { request, recipients } = attempt;
  const passage = openPassage(options.agents, settings.bestMxTransport, request);
  if (!passage.isOpen) {
    warn(passage.warning);
    attempt.why = passage.status;
    return undefined;
  }
  let result: DeliveryResult = {};
  for (const recipient of recipients) {
    const text = passageNote(request, recipient.address, settings.bestMxTransport);
    options.events.emit({ kind: 'note', text });
    result = { ...result, ...(await passage.agent.deliver({ ...passage.request, recipients: [recipient] }, report)) };
  }
  return result;
}

function isLoop(why: Status): boolean {
  return why.code.endsWith('.4.6');
}

/** Tries the servers of one destination until no recipient, no server or no patience is left. */
async function tryDestination(client: Client, attempt: Attempt, text: string): Promise<void> {
  const { settings, cache } = client;
  const destination = parseDestination(text, settings);
  if (destination.kind === 'invalid') {
    client.warn(destination.warning);
    attempt.why = { code: '4.3.5', reason: 'Server configuration error' };
    return;
  }
  const policy = await tlsRulesFor(settings, client.tables, destination, attempt.request.envelope, client.warn);
  if (policy.kind === 'refused') {
    const host = destination.kind === 'inet' ? destination.domain : destination.text;
    client.warn(policy.warning);
    client.warn(policyComplaint(destination.text, host, policy.status));
    attempt.why = policy.status;
    return;
  }
  const kept = mayReuse(client, policy) ? cache.forDestination(destination.text, policy.level) : undefined;
  const route = await findRoute(client, destination, kept, policy);
  if (route.list.why !== undefined || route.list.addresses.length === 0) attempt.why = route.list.why;
  if (route.list.isMxHost || (attempt.why !== undefined && isLoop(attempt.why))) attempt.isFinalNexthop = true;
  await tryServers(client, attempt, route, kept);
}

async function tryServers(
  client: Client,
  attempt: Attempt,
  route: Route,
  fromCache: KeptConnection | undefined,
): Promise<void> {
  const { settings } = client;
  const best = route.list.addresses[0]?.preference;
  const limit = settings.mxAddressLimit > 0 ? settings.mxAddressLimit : route.list.addresses.length;
  let candidates = route.list.addresses.slice(0, limit);
  let kept = fromCache;
  let sessions = 0;
  /** In plaintext, after a handshake or a session inside TLS that failed; or by the same rules, now that it is known who vouches for the server. */
  let retry: TlsRules | undefined;
  while (!attempt.isDone && !attempt.isOverdue && candidates.length > 0) {
    const candidate = kept === undefined ? candidates[0] : (serverOf(kept, candidates) ?? candidates[0]);
    if (candidate === undefined) break;
    const isBestMx = candidate.preference === best;
    const rest = candidates.filter((one) => one !== candidate);
    const tls = retry ?? (await rulesForServer(client, attempt, route, candidate));
    if (tls === undefined) {
      candidates = rest;
      continue;
    }
    kept ??=
      retry === undefined && mayReuse(client, tls)
        ? client.cache.forServer(endpointOf(route, candidate), tls.level)
        : undefined;
    const isLast = (left: readonly ServerAddress[]): boolean => attempt.isFinalNexthop && left.length === 0;
    attempt.isFinalServer = isLast(rest);
    const choice = { candidate, isBestMx, tls, mayAskAgain: retry === undefined };
    const session = kept ?? (await openSession(client, attempt, route, choice));
    if (session === 'retryPlain' || session === 'retryTls') {
      retry = session === 'retryPlain' ? inPlain(tls) : tls;
      continue;
    }
    retry = undefined;
    if (session === 'failed') {
      if (attempt.takeRetryInPlain()) retry = inPlain(tls);
      else candidates = rest;
      continue;
    }
    // deliveries count towards the session limit; handshakes that failed, and what goes on in plaintext, do not
    const isLimit = sessions + 1 === settings.mxSessionLimit;
    attempt.isFinalServer = isLast(isLimit ? [] : rest);
    const end = await runSession(client, attempt, session, kept !== undefined);
    kept = undefined;
    if (end === 'stale') continue;
    if (attempt.takeRetryInPlain()) {
      retry = inPlain(tls);
      continue;
    }
    sessions++;
    candidates = isLimit ? [] : rest;
  }
}

/** The next session with the same server goes without TLS. */
function inPlain(tls: TlsRules): TlsRules {
  return { ...tls, level: 'none' };
}

/** The rules for one server, after what DANE makes of them; undefined: it can't be used, which was told. */
async function rulesForServer(
  client: Client,
  attempt: Attempt,
  route: Route,
  candidate: ServerAddress,
): Promise<TlsRules | undefined> {
  const { settings, lookups, warn } = client;
  const { tls, destination } = route;
  const rules = isDane(tls.level) ? await daneRulesFor(lookups, route, candidate) : tls;
  if (!('level' in rules)) {
    warn(policyComplaint(destination.text, candidate.host, rules));
    attempt.why = rules;
    return undefined;
  }
  if (!settings.tls.wrapperMode || demandsTls(rules.level)) return rules;
  const { parameter } = settings;
  warn(`${parameter('tls_wrappermode')} requires "${parameter('tls_security_level')} = encrypt" (or stronger)`);
  attempt.why = { code: '4.3.0', reason: 'server unavailable or unable to receive mail' };
  return undefined;
}

function policyComplaint(destination: string, host: string, { reason }: Status): string {
  return `TLS policy lookup for ${destination}/${host}: ${reason}`;
}

/** The candidate that a kept connection leads to. */
function serverOf(kept: KeptConnection, candidates: readonly ServerAddress[]): ServerAddress | undefined {
  const { endpoint } = kept.connection;
  return candidates.find(({ address, port = endpoint.port }) => address === endpoint.address && port === endpoint.port);
}
