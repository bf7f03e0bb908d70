/**
 * The SMTP and LMTP delivery agent: destinations, servers and sessions of one request, in order (smtp(8), lmtp(8)).
 *
 * Each server gets all recipients that are left; what it refuses softly goes on to the next one in the same attempt.
 */
import { resolve as resolvePath } from 'node:path';
import { isIPv6 } from 'node:net';
import type { ServiceEntry, Settings } from '#config';
import { filterReplies, type HostLookup, type Resolver, withSearch } from '#dns';
import type { EventChannel } from '#events';
import type { DeliveryAgent, DeliveryRequest, DeliveryResult, Outcome, Status } from '#message';
import type { TableOpener } from '#tables';
import { type AddressList, domainAddresses, hostAddresses, type LookupTools, type ServerAddress } from './addresses.ts';
import { type ConnectOptions, type Endpoint, endpointLabel, openConnection } from './connection.ts';
import { type ConnectionCache, createConnectionCache, type KeptConnection } from './connection-cache.ts';
import { type Destination, parseDestination, splitDestinations } from './destination.ts';
import { shakeHands } from './handshake.ts';
import { openOutputRules, type OutputRules } from './output-rules.ts';
import { ownAddresses } from './own-addresses.ts';
import { openServerTables, type ServerTables } from './server-tables.ts';
import { type ClientProtocol, compileSettings, type SmtpSettings } from './settings.ts';
import type { TlsLevel } from './starttls.ts';
import { tlsPolicyFor } from './tls-policy.ts';
import { sayGoodbye } from './goodbye.ts';
import type { TransactionEnd } from './transaction-context.ts';
import { transfer } from './transaction.ts';
import { Attempt, type AttemptTools } from './trouble.ts';

export interface SmtpAgentOptions {
  readonly settings: Settings;
  readonly service: ServiceEntry;
  readonly protocol: ClientProtocol;
  readonly resolver: Resolver;
  readonly hostLookup: HostLookup;
  readonly tables: TableOpener;
  /** Completes results of generic maps to standard form. */
  readonly rewriter?: { rewrite(address: string, context: 'local' | 'remote'): string };
  readonly events: EventChannel;
  readonly clock: { now(): number };
  /** The `search` list of resolv.conf(5), for smtp_dns_resolver_options. */
  readonly searchDomains?: readonly string[];
  /** In [0, 1). */
  readonly random?: () => number;
  /** Hands a request to another transport, for best_mx_transport. */
  readonly passOn?: (
    transport: string,
    request: DeliveryRequest,
    report: (outcome: Outcome) => void,
  ) => Promise<DeliveryResult>;
}

/** An agent for one service of master.cf (smtp, lmtp, relay …). */
export function createSmtpAgent(options: SmtpAgentOptions): DeliveryAgent {
  const settings = compileSettings(options.settings, options.service, options.protocol);
  const { events } = options;
  const warn = (text: string): void => events.emit({ kind: 'warning', text });
  const statusFilter = options.tables.list(settings.tables.statusFilter);
  const client: Client = {
    options,
    settings,
    warn,
    lookups: {
      settings,
      resolver: filteredResolver(options, settings, warn),
      hostLookup: options.hostLookup,
      isOwnAddress: ownAddresses(options.settings, options.hostLookup),
      random: options.random ?? Math.random,
      warn,
    },
    tables: openServerTables(options.tables, settings, warn),
    output: openOutputRules({ ...options, settings, warn, mainSettings: options.settings }),
    cache: createConnectionCache(settings.cache.idleMs, (connection) => void sayGoodbye(connection, settings)),
    attemptTools: {
      events,
      now: () => options.clock.now(),
      softBounce: settings.softBounce,
      delayDigits: options.settings.int('delay_logging_resolution_limit'),
      statusFilter: statusFilter.isEmpty ? undefined : statusFilter,
    },
  };
  return {
    deliver: (request, report) => deliver(client, request, report),
    close: () => client.cache.close(),
  };
}

/** What all deliveries of a service share. */
interface Client {
  readonly options: SmtpAgentOptions;
  readonly settings: SmtpSettings;
  readonly lookups: LookupTools;
  readonly tables: ServerTables;
  readonly output: OutputRules;
  readonly cache: ConnectionCache;
  readonly attemptTools: AttemptTools;
  readonly warn: (text: string) => void;
}

function filteredResolver(options: SmtpAgentOptions, settings: SmtpSettings, warn: (text: string) => void): Resolver {
  const tables = options.tables.list(settings.tables.dnsReplyFilter);
  const words = settings.resolverOptions.map((word) => word.toLowerCase());
  const resolver =
    words.length === 0
      ? options.resolver
      : withSearch(options.resolver, {
          domains: options.searchDomains ?? [],
          defaultDomain: words.includes('res_defnames'),
          searchAll: words.includes('res_dnsrch'),
        });
  if (tables.isEmpty) return resolver;
  const note = (text: string): void => options.events.emit({ kind: 'note', text });
  const filter = { parameter: settings.parameter('dns_reply_filter'), tables };
  return filterReplies(resolver, filter, { note, warn });
}

async function deliver(
  client: Client,
  request: DeliveryRequest,
  report: (outcome: Outcome) => void,
): Promise<DeliveryResult> {
  const attempt = new Attempt(client.attemptTools, request, report);
  const { settings } = client;
  const barred = unsupported(settings);
  if (barred === undefined) {
    const sites = splitDestinations(request.nexthop);
    const all = [...sites, ...settings.fallbackRelays];
    let tried = 0;
    for (const text of all) {
      tried++;
      attempt.isFinalNexthop = tried === all.length;
      await tryDestination(client, attempt, text);
      if (attempt.isDone || attempt.isFinalNexthop) break;
    }
    const passedOn = judgeConfiguration(client, attempt, tried > sites.length, report);
    if (passedOn !== undefined) return passedOn;
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
  if (settings.tls.wrapperMode) return because(`${settings.parameter('tls_wrappermode')} = yes`);
  if (settings.tls.perSite) return because(settings.parameter('tls_per_site'));
  return undefined;
}

/** A relay that can't work is a mistake of ours, not of the sender: mail waits (smtp_connect.c). */
function judgeConfiguration(
  client: Client,
  attempt: Attempt,
  isFallback: boolean,
  report: (outcome: Outcome) => void,
): Promise<DeliveryResult> | undefined {
  const { settings, options } = client;
  const { why, request } = attempt;
  if (attempt.isDone || why === undefined || !why.code.startsWith('5')) return undefined;
  const isRelayHost = settings.protocol === 'smtp' && request.nexthop === settings.relayHost;
  if (isFallback || isRelayHost) {
    client.warn(`${isFallback ? settings.parameter('fallback_relay') : 'relayhost'} configuration problem`);
    attempt.why = { ...why, code: '4.3.5' };
    return undefined;
  }
  if (settings.protocol === 'smtp' && isLoop(why) && settings.bestMxTransport !== '' && options.passOn !== undefined) {
    const colon = settings.bestMxTransport.indexOf(':');
    const transport = colon < 0 ? settings.bestMxTransport : settings.bestMxTransport.slice(0, colon);
    return options.passOn(transport, { ...request, transport, recipients: attempt.recipients }, report);
  }
  return undefined;
}

function isLoop(why: Status): boolean {
  return why.code.endsWith('.4.6');
}

/** Where a destination leads. */
interface Route {
  readonly destination: Extract<Destination, { readonly kind: 'inet' | 'unix' }>;
  readonly detectLoop: boolean;
  readonly list: AddressList;
  readonly port: number;
  readonly tlsLevel: TlsLevel;
}

/** Tries the servers of one destination until no recipient, no server or no patience is left. */
async function tryDestination(client: Client, attempt: Attempt, text: string): Promise<void> {
  const { settings, cache } = client;
  const destination = parseDestination(text, settings.defaultPort, settings.protocol);
  if (destination.kind === 'invalid') {
    client.warn(`${destination.reason} in server description: ${text}`);
    attempt.why = { code: '4.3.5', reason: 'Server configuration error' };
    return;
  }
  const policy = await tlsPolicyFor(settings, client.tables.tlsPolicies, destination);
  if (policy.kind === 'refused') {
    client.warn(`TLS policy lookup for ${destination.text}: ${policy.warning}`);
    attempt.why = policy.status;
    return;
  }
  const kept = mayReuse(client, policy.level) ? cache.forDestination(destination.text) : undefined;
  const route = await findRoute(client, destination, kept, policy.level);
  if (route.list.why !== undefined || route.list.addresses.length === 0) attempt.why = route.list.why;
  if (route.list.isMxHost || (attempt.why !== undefined && isLoop(attempt.why))) attempt.isFinalNexthop = true;
  await tryServers(client, attempt, route, kept);
}

/** Kept connections are in plaintext and nobody's: not for mail that must have TLS, nor where senders log in. */
function mayReuse({ tables }: Client, level: TlsLevel): boolean {
  return level !== 'encrypt' && tables.sasl === undefined;
}

async function findRoute(
  client: Client,
  destination: Route['destination'],
  kept: KeptConnection | undefined,
  tlsLevel: TlsLevel,
): Promise<Route> {
  const { settings, lookups } = client;
  if (destination.kind === 'unix') {
    const only = { host: settings.myHostname, address: destination.path, preference: 0 };
    const list: AddressList = { addresses: [only], why: undefined, isMxHost: false };
    return { destination, detectLoop: false, list, port: 0, tlsLevel };
  }
  const { domain, port, literal } = destination;
  const detectLoop = settings.protocol === 'smtp' && port === smtpPort;
  const useMx = settings.protocol === 'smtp' && settings.dnsLookups && !literal;
  const list =
    kept?.list ??
    (useMx ? await domainAddresses(lookups, domain, detectLoop) : await hostAddresses(lookups, domain, detectLoop));
  return { destination, detectLoop, list, port, tlsLevel };
}

const smtpPort = 25;

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
  let level = route.tlsLevel;
  while (!attempt.isDone && candidates.length > 0) {
    const candidate = kept === undefined ? candidates[0] : (serverOf(kept, candidates) ?? candidates[0]);
    if (candidate === undefined) break;
    const isBestMx = candidate.preference === best;
    kept ??=
      level === route.tlsLevel && mayReuse(client, level)
        ? client.cache.forServer(endpointOf(route, candidate))
        : undefined;
    const rest = candidates.filter((one) => one !== candidate);
    const isLast = (left: readonly ServerAddress[]): boolean => attempt.isFinalNexthop && left.length === 0;
    attempt.isFinalServer = isLast(rest);
    const session = kept ?? (await openSession(client, attempt, route, candidate, isBestMx, level));
    if (session === 'retryPlain') {
      level = 'none';
      continue;
    }
    level = route.tlsLevel;
    if (session === 'failed') {
      candidates = rest;
      continue;
    }
    // deliveries count towards the session limit, handshakes that failed do not
    const isLimit = sessions + 1 === settings.mxSessionLimit;
    attempt.isFinalServer = isLast(isLimit ? [] : rest);
    const end = await runSession(client, attempt, session, kept !== undefined);
    kept = undefined;
    if (end === 'stale') continue;
    sessions++;
    candidates = isLimit ? [] : rest;
  }
}

/** The candidate that a kept connection leads to. */
function serverOf(kept: KeptConnection, candidates: readonly ServerAddress[]): ServerAddress | undefined {
  return candidates.find(({ address }) => address === kept.connection.endpoint.address);
}

function endpointOf(route: Route, { host, address }: ServerAddress): Endpoint {
  return { host, address, port: route.port };
}

/** Connects and shakes hands. On failure the attempt has been told why. */
async function openSession(
  client: Client,
  attempt: Attempt,
  route: Route,
  candidate: ServerAddress,
  isBestMx: boolean,
  tlsLevel: TlsLevel,
): Promise<KeptConnection | 'failed' | 'retryPlain'> {
  const { settings, tables, options, warn } = client;
  const endpoint = endpointOf(route, candidate);
  const result = await openConnection(connectOptions(client, route, endpoint));
  if (result.kind === 'failed') {
    if (result.bindFailed) {
      warn(`${settings.protocol}_connect_addr: bind ${bindAddressFor(settings, endpoint) ?? ''}: ${result.reason}`);
    }
    const reason = `connect to ${endpointLabel(endpoint)}: ${result.reason}`;
    attempt.why = result.bindFailed
      ? { code: '4.4.0', reason: 'server unavailable: unable to bind local address' }
      : { code: '4.4.1', reason };
    options.events.emit({ kind: 'hostSkipped', queueId: '', reason: attempt.why.reason });
    return 'failed';
  }
  const { connection } = result;
  attempt.useConnection(connection);
  const hands = await shakeHands({
    settings,
    attempt,
    connection,
    events: options.events,
    tlsLevel,
    detectLoop: route.detectLoop,
    isBestMx,
    ignoredKeywords: tables.ignoredKeywords,
    pixWorkarounds: tables.pixWorkarounds,
    sasl: tables.sasl,
    nexthop: route.destination.text,
  });
  if (hands.kind === 'ready') {
    const { destination, list } = route;
    const domain = destination.kind === 'inet' ? destination.domain : destination.text;
    return { connection, server: hands, destination: destination.text, domain, list };
  }
  if (connection.isLost) connection.destroy();
  else await sayGoodbye(connection, settings);
  attempt.useConnection(undefined);
  return hands.kind;
}

function connectOptions(client: Client, route: Route, endpoint: Endpoint): ConnectOptions {
  const { settings, tables, options, warn } = client;
  const localAddress = bindAddressFor(settings, endpoint);
  return {
    endpoint,
    ...(route.destination.kind === 'unix' && { path: resolvePath(settings.queueDirectory, route.destination.path) }),
    ...(localAddress !== undefined && { localAddress }),
    timeoutMs: settings.timeouts.connect,
    replyLengthLimit: settings.replyLengthLimit,
    replyFilter: tables.replyFilter,
    warn,
    now: () => options.clock.now(),
  };
}

function bindAddressFor({ bindAddress }: SmtpSettings, { address }: Endpoint): string | undefined {
  const own = (isIPv6(address) ? bindAddress.ipv6 : bindAddress.ipv4).replace(/^\[(.*)\]$/, '$1');
  return own === '' ? undefined : own;
}

/** One message over a ready connection, which is then kept or ended. */
async function runSession(
  client: Client,
  attempt: Attempt,
  session: KeptConnection,
  isReused: boolean,
): Promise<TransactionEnd> {
  const { settings, options, output, warn } = client;
  const { connection, server, domain } = session;
  const { request } = attempt;
  const isListed = client.tables.isCachedDestination(domain);
  const wants =
    (isListed instanceof Promise ? await isListed : isListed) || (settings.cache.onDemand && request.reuseConnection);
  attempt.useConnection(connection);
  connection.uses++;
  const content = await output.prepare(attempt, connection, server.features);
  let end: TransactionEnd;
  if (content.kind === 'refused') {
    attempt.messageRefused(content.status);
    await sayGoodbye(connection, settings);
    end = 'ended';
  } else {
    end = await transfer({
      settings,
      attempt,
      connection,
      features: server.features,
      delayDot: server.delayDot,
      addresses: content.addresses,
      probeFirst: isReused,
      mayKeep: () => wants && mayKeep(client, session),
      converter: content.converter,
      onLineBreak: () =>
        options.events.emit({ kind: 'lineBroken', queueId: request.queueId, limit: settings.lineLengthLimit }),
      warn,
    });
  }
  attempt.useConnection(undefined);
  if (end === 'kept') client.cache.keep(session);
  return end;
}

/** Whether the limits leave the connection for another message (smtp_connection_reuse_*). */
function mayKeep(client: Client, { connection }: KeptConnection): boolean {
  const { lifetimeMs, useLimit } = client.settings.cache;
  if (connection.isSecured || connection.isPersonal || (useLimit > 0 && connection.uses >= useLimit)) return false;
  return client.options.clock.now() - connection.openedAt < lifetimeMs;
}
