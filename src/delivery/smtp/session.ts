/** One connection to a server: opened or taken from the cache, used for one message, kept or ended. smtp(8) */
import { resolve as resolvePath } from 'node:path';
import { familyOf } from '#address';
import { SessionTranscript } from '#smtp';
import type { ServerAddress } from './addresses.ts';
import type { Client } from './client.ts';
import { type ConnectOptions, type ConnectResult, openConnection } from './connect.ts';
import type { Connection } from './connection.ts';
import type { KeptConnection } from './connection-cache.ts';
import { type Endpoint, endpointLabel } from './endpoint.ts';
import { sayGoodbye } from './goodbye.ts';
import { shakeHands } from './handshake.ts';
import { endpointOf, type Route } from './route.ts';
import type { SmtpSettings } from './settings.ts';
import { demandsTls } from './tls-levels.ts';
import type { TlsRules } from './tls-policy.ts';
import { transfer } from './transaction.ts';
import type { TransactionEnd } from './transaction-context.ts';
import type { Attempt } from './trouble.ts';

/** Kept connections are in plaintext and nobody's: not for mail that asks for TLS, nor where senders log in. */
export function mayReuse({ tables }: Client, { level, requireTls }: TlsRules): boolean {
  return !demandsTls(level) && requireTls === 'disable' && tables.sasl === undefined;
}

/** One server, and how it is to be asked. */
export interface ServerChoice {
  readonly candidate: ServerAddress;
  readonly isBestMx: boolean;
  readonly tls: TlsRules;
  /** Once more, when it has shown who vouches for it. */
  readonly mayAskAgain: boolean;
}

/** Connects and shakes hands. On failure the attempt has been told why. */
export async function openSession(
  client: Client,
  attempt: Attempt,
  route: Route,
  { candidate, isBestMx, tls, mayAskAgain }: ServerChoice,
): Promise<KeptConnection | 'failed' | 'retryPlain' | 'retryTls'> {
  const { settings, tables, options } = client;
  const endpoint = endpointOf(route, candidate);
  const result = await connectTo(client, route, endpoint);
  if (result.kind === 'failed') {
    const reason = `connect to ${endpointLabel(endpoint)}: ${result.reason}`;
    attempt.why = result.bindFailed
      ? { code: '4.4.0', reason: 'server configuration error' }
      : { code: '4.4.1', reason };
    if (route.destination.kind === 'inet') {
      options.events.emit({ kind: 'hostSkipped', queueId: '', reason: attempt.why.reason });
    }
    return 'failed';
  }
  const { connection } = result;
  connection.tls = { wanted: route.tls.level, level: tls.level, use: 'undecided' };
  attempt.useConnection(connection);
  const hands = await shakeHands({
    settings,
    attempt,
    connection,
    events: options.events,
    tls,
    clientTls: client.tls,
    anchors: client.anchors,
    mayAskAgain,
    nexthopDomain: route.destination.kind === 'inet' ? route.destination.domain : settings.myHostname,
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
  endTranscript(client, attempt, connection);
  attempt.useConnection(undefined);
  return hands.kind;
}

/** The own address is a wish, unless it is that of smtp_bind_address and smtp_bind_address_enforce says otherwise. */
async function connectTo(client: Client, route: Route, endpoint: Endpoint): Promise<ConnectResult> {
  const { settings, warn } = client;
  const options = connectOptions(client, route, endpoint);
  const chosen = bindAddressFor(settings, endpoint);
  const family = familyOf(endpoint.address);
  const localAddress = chosen ?? (family && (await client.sourceFor(family)));
  if (localAddress === undefined) return openConnection(options);
  const result = await openConnection({ ...options, localAddress });
  if (result.kind === 'connected' || !result.bindFailed) return result;
  warn(`smtp_connect_addr: bind ${localAddress}: ${result.reason}`);
  return chosen !== undefined && settings.bindAddress.enforce ? result : openConnection(options);
}

function connectOptions(client: Client, route: Route, endpoint: Endpoint): ConnectOptions {
  const { settings, tables, options, warn } = client;
  return {
    endpoint,
    ...(route.destination.kind === 'unix' && { path: resolvePath(settings.queueDirectory, route.destination.path) }),
    timeoutMs: settings.timeouts.connect,
    replyLengthLimit: settings.replyLengthLimit,
    replyFilter: tables.replyFilter,
    warn,
    onReplaced: (line, by) => options.events.emit({ kind: 'replyReplaced', server: endpointLabel(endpoint), line, by }),
    now: () => options.clock.now(),
    perRequestDeadline: settings.perRequestDeadline,
    transcript: openTranscript(client, endpoint),
    turn: client.turn,
  };
}

function bindAddressFor({ bindAddress }: SmtpSettings, { address }: Endpoint): string | undefined {
  const own = (familyOf(address) === 'ipv6' ? bindAddress.ipv6 : bindAddress.ipv4).replace(/^\[(.*)\]$/, '$1');
  return own === '' ? undefined : own;
}

/** One message over a ready connection, which is then kept or ended. */
export async function runSession(
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
    // as Postfix, which has nothing more to say to such a server
    connection.destroy();
    end = 'ended';
  } else if (content.kind === 'lacking') {
    attempt.serverLacks(content.status);
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
  endTranscript(client, attempt, connection);
  attempt.useConnection(undefined);
  if (end === 'kept') client.cache.keep(session);
  return end;
}

/** Kept only where something that can go wrong here is asked for. */
function openTranscript({ settings, options }: Client, endpoint: Endpoint): SessionTranscript | undefined {
  const { notifyClasses } = settings;
  const { notifyPostmaster } = options;
  if (notifyPostmaster === undefined || !(notifyClasses.has('protocol') || notifyClasses.has('data'))) return undefined;
  return new SessionTranscript({
    peer: () => endpointLabel(endpoint),
    classes: notifyClasses,
    notify: notifyPostmaster,
  });
}

/** What went wrong is told, but nothing of notices: they would make further ones. */
function endTranscript({ settings }: Client, { request }: Attempt, { transcript }: Connection): void {
  const { sender } = request.envelope;
  const isNotice = sender === '' || sender === settings.doubleBounceSender;
  transcript?.reset(0, !isNotice);
}

/** Whether the limits leave the connection for another message (smtp_connection_reuse_*). */
function mayKeep(client: Client, { connection }: KeptConnection): boolean {
  const { lifetimeMs, useLimit } = client.settings.cache;
  if (connection.isSecured || connection.isPersonal || (useLimit > 0 && connection.uses > useLimit)) return false;
  return client.options.clock.now() - connection.openedAt < lifetimeMs;
}
