/** The servers of one destination, one after the other: which comes next, with what TLS, and when there is no more to try. smtp(8) */
import type { Status } from '#message';
import type { ServerAddress } from './addresses.ts';
import type { Client } from './client.ts';
import type { KeptConnection } from './connection-cache.ts';
import { daneRulesFor } from './dane.ts';
import { parseDestination } from './destination.ts';
import { endpointOf, findRoute, type Route } from './route.ts';
import { mayReuse, openSession, runSession } from './session.ts';
import { demandsTls, isDane } from './tls-levels.ts';
import { type TlsRules, tlsRulesFor } from './tls-policy.ts';
import { type Attempt, isLoop } from './trouble.ts';

/** Tries the servers of one destination until no recipient, no server or no patience is left. */
export async function tryDestination(client: Client, attempt: Attempt, text: string): Promise<void> {
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

/** One server after the other, each with all recipients that are left. */
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
  /** The rules of another session with the same server: in plaintext after TLS has failed, or the same ones now that its authorities are known. */
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
