/**
 * The SMTP and LMTP delivery agent: destinations and servers of one request, in order (smtp(8), lmtp(8)).
 *
 * Each server gets all recipients that are left; what it refuses softly goes on to the next one in the same attempt.
 */
import type { DeliveryAgent, DeliveryResult, Outcome, Status } from '#message';
import { openPassage, passageNote } from '../pass-on.ts';
import { type Client, createClient, type SmtpAgentOptions } from './client.ts';
import { loginProblem } from './login-problem.ts';
import { createStoppedAgent } from '../stopped-agent.ts';
import { checkDeliveredHeaders } from './delivered-headers.ts';
import { splitDestinations } from './destination.ts';
import type { SmtpSettings } from './settings.ts';
import { Attempt, isLoop } from './trouble.ts';
import { tryDestination } from './try-destination.ts';

/** An agent for one service of master.cf (smtp, lmtp, relay …). */
export function createSmtpAgent(options: SmtpAgentOptions): DeliveryAgent {
  const problem = loginProblem(options.settings, options.protocol);
  if (problem !== undefined)
    return createStoppedAgent(problem, { events: options.events, now: () => options.clock.now() });
  const client = createClient(options);
  return {
    deliver: (request, report) => deliverInTime(client, new Attempt(client.reportTools, request, report), report),
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
  attempt.why = unsupported(client.settings);
  if (attempt.why === undefined) {
    await checkDeliveredHeaders(client, attempt);
    const passed = await tryDestinations(client, attempt, report);
    if (passed !== undefined) {
      await attempt.told();
      return passed;
    }
  }
  await attempt.finish();
  return attempt.siteFailure === undefined ? {} : { siteFailure: attempt.siteFailure };
}

/** The destinations in order, then the fallback relays. What another transport made of the mail, if it went there. */
async function tryDestinations(
  client: Client,
  attempt: Attempt,
  report: (outcome: Outcome) => void,
): Promise<DeliveryResult | undefined> {
  if (attempt.isDone) return undefined;
  const sites = splitDestinations(attempt.request.nexthop);
  const all = [...sites, ...client.settings.fallbackRelays];
  let tried = 0;
  for (const text of all) {
    tried++;
    attempt.isFinalNexthop = tried === all.length;
    await tryDestination(client, attempt, text);
    if (attempt.isDone || attempt.isFinalNexthop || attempt.isOverdue) break;
  }
  return judgeConfiguration(client, attempt, tried > sites.length, report);
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
