/**
 * Everything unprivileged, joined: from master.cf's services to servers, agents and the queue. The one place where the
 * parts meet; who runs it (a process under the supervisor, or a single process) hands in listeners and deliverers.
 */
import type { Server } from 'node:net';
import { createServer } from 'node:net';
import { createBouncer, createSessionNotifier } from '#bounce';
import { createCleanup } from '#cleanup';
import { ConfigError, type Configuration, familiesOf, type ServiceEntry, type Settings } from '#config';
import type { DelivererPool } from '#delivery';
import { createHostLookup, type Resolver, systemResolver } from '#dns';
import type { EventChannel, EventLog } from '#events';
import { createPickup, createRequeuer } from '#pickup';
import { createQueueManager } from '#qmgr';
import { createRewriter } from '#rewrite';
import {
  compileSmtpdSettings,
  createAnvil,
  createPolicyChecks,
  createSmtpServer,
  loginSettings,
  createLateService,
  createUnusableService,
  limitSessions,
  reportingAt,
  serviceProblem,
  type SmtpService,
} from '#smtpd';
import { openStore } from '#store';
import { refusedUser, senderRight, TableOpener } from '#tables';
import { type KeyFiles, openServerTls, postscreenParameters, readKeyFiles, smtpdParameters } from '#tls';
import { createProbeSender, createVerifier } from '#verify';
import { createAgents } from './agents.ts';
import { startControlServer } from './control-server.ts';
import { type ConnectionService, createScreening, drainServers } from './screening.ts';
import { filteredResolver } from './filtered-resolver.ts';
import { tlsServices } from './tls-services.ts';

export interface ListenerFd {
  readonly service: string;
  readonly address: string;
  readonly port: number;
  /** An inherited listening socket; undefined: open it here. */
  readonly fd?: number;
}

export interface MailSystemOptions {
  readonly configuration: Configuration;
  readonly log: EventLog;
  readonly listeners: readonly ListenerFd[];
  readonly deliverers: DelivererPool;
  /** Read as root; without them they are read as whoever this is. */
  readonly keyFiles?: KeyFiles;
  readonly storeOwner?: { readonly uid: number; readonly gid: number };
}

export interface MailSystem {
  /** Stops accepting, lets sessions and deliveries end, closes the queue. */
  drain(): Promise<void>;
  /** The same within seconds. */
  stop(): Promise<void>;
  /** An older generation has ended: take over what it left. */
  takeOver(): Promise<void>;
}

const stopDeadlineMs = 2500;
const drainDeadlineMs = 600_000;

/** The log tag of a service: `-o syslog_name`, then the program. */
function channelOf(log: EventLog, settings: Settings, program: string): EventChannel {
  return log.channel(`${settings.string('syslog_name')}/${program}`);
}

/** A resolver of the service's own, so that it says in the service's name what it doesn't believe. */
function smtpdResolver(events: EventChannel): Resolver {
  return systemResolver(undefined, { warn: (text) => events.emit({ kind: 'warning', text }) });
}

export async function startMailSystem(options: MailSystemOptions): Promise<MailSystem> {
  const { configuration, log, deliverers } = options;
  const { settings, services } = configuration;
  const queueDirectory = settings.string('queue_directory');
  const smtpdEntries = services.filter(
    (entry) => entry.command === 'smtpd' && (entry.type === 'inet' || entry.type === 'pass'),
  );

  const keyFiles = options.keyFiles ?? readKeyFiles(tlsServices(configuration));

  const now = (): number => Date.now();
  const openerFor = (
    program: string,
    view: Settings,
  ): { readonly tables: TableOpener; readonly events: EventChannel } => {
    const events = channelOf(log, view, program);
    const tables = new TableOpener({
      settings: view,
      configDirectory: configuration.directory,
      warn: (text) => events.emit({ kind: 'warning', text }),
      error: (text) => events.emit({ kind: 'error', text }),
      proxySettings: settings,
      proxyWarn: (text) => channelOf(log, settings, 'proxymap').emit({ kind: 'warning', text }),
      // smtpd opens its tables when the first client comes; for others the first message does it.
      isLate: program !== 'smtpd',
    });
    return { tables, events };
  };
  const qmgrEvents = channelOf(log, settings, 'qmgr');
  const warn = (text: string): void => qmgrEvents.emit({ kind: 'warning', text });
  const store = await openStore({
    directory: queueDirectory,
    longQueueIds: settings.bool('enable_long_queue_ids'),
    warn,
    ...(options.storeOwner === undefined ? {} : { owner: options.storeOwner }),
  });
  const { tables } = openerFor('trivial-rewrite', settings);
  const rewriter = createRewriter({
    settings,
    tables,
    warn: (text) => channelOf(log, settings, 'trivial-rewrite').emit({ kind: 'warning', text }),
  });
  const resolver = systemResolver();
  const hostLookup = createHostLookup(resolver, { families: familiesOf(settings) });

  const cleanups = new Map(
    services
      .filter((entry) => entry.command === 'cleanup')
      .map((entry) => {
        const view = configuration.settingsFor(entry);
        const parts = openerFor('cleanup', view);
        return [entry.name, createCleanup({ settings: view, ...parts, rewriter, store })] as const;
      }),
  );
  const cleanupFor = (view: Settings): ReturnType<typeof createCleanup> => {
    const name = view.string('cleanup_service_name');
    const found = cleanups.get(name);
    if (found === undefined)
      throw new ConfigError([`cleanup_service_name = ${name}: master.cf has no such cleanup service`]);
    return found;
  };
  const submission = cleanupFor(settings);
  const bouncer = createBouncer({ submission, settings, events: channelOf(log, settings, 'bounce') });
  const probeSender = createProbeSender({
    sender: settings.string('address_verify_sender'),
    ttlMs: settings.ms('address_verify_sender_ttl'),
    rewrite: (address) => rewriter.rewrite(address, 'local'),
  });
  const verifyName = settings.string('address_verify_service_name');
  const verifyEntry = services.find((entry) => entry.command === 'verify' && entry.name === verifyName);
  const verifier =
    verifyEntry === undefined
      ? undefined
      : createVerifier({
          settings: configuration.settingsFor(verifyEntry),
          submission,
          sender: probeSender,
          events: channelOf(log, configuration.settingsFor(verifyEntry), 'verify'),
          now,
        });
  const agents = createAgents({
    configuration,
    log,
    rewriter,
    resolver,
    hostLookup,
    submission,
    deliverers,
    now,
    openerFor,
  });
  const qmgr = createQueueManager({
    store,
    agents,
    processLimit: (transport) =>
      services.find((entry) => entry.type === 'unix' && entry.name === transport)?.processLimit ?? 0,
    resolve: (sender, recipient, use) => rewriter.resolve(sender, recipient, use),
    probes: verifier,
    bouncer,
    settings,
    events: qmgrEvents,
    errorEvents: channelOf(log, settings, 'error'),
    now,
  });

  const flushDomains = tables.matchList('fast_flush_domains', 'domain', settings.elements('fast_flush_domains'));
  const flushSite = async (site: string): Promise<boolean> => {
    if ((await flushDomains.matches(site)) !== 'yes') return false;
    await qmgr.flushSite(site);
    return true;
  };

  const masterEvents = channelOf(log, settings, 'master');
  const servers = new Map<string, ConnectionService>();
  const passServers = new Map<string, { readonly service: ConnectionService; readonly processLimit: number }>();
  const addServer = ({ name, type, processLimit }: ServiceEntry, service: ConnectionService): void => {
    servers.set(`${name}/${type}`, service);
    if (type === 'pass') passServers.set(name, { service, processLimit });
  };
  for (const entry of smtpdEntries) {
    const view = configuration.settingsFor(entry);
    const parts = openerFor('smtpd', view);
    const problem = serviceProblem(view);
    if (problem !== undefined) {
      addServer(entry, createUnusableService(problem, parts.events));
      continue;
    }
    const ownSubmission = cleanupFor(view);
    const tls = await openServerTls({
      settings: view,
      names: smtpdParameters,
      files: keyFiles,
      tables: parts.tables,
      warn: (text) => parts.events.emit({ kind: 'warning', text }),
      now,
    });
    const login = loginSettings(view, parts.tables, (text) => parts.events.emit({ kind: 'warning', text }));
    const anvil = createAnvil(view, channelOf(log, view, 'anvil'), now);
    const make = (settings: Settings): SmtpService =>
      createSmtpServer({
        settings: compileSmtpdSettings(settings, entry, parts.tables),
        policy: createPolicyChecks({
          settings,
          ...parts,
          rewriter,
          resolver: filteredResolver(smtpdResolver(parts.events), view, parts),
          hostLookup,
          verification: verifier,
        }),
        probeSender: (address) => probeSender.match(address, now()),
        notifyPostmaster: createSessionNotifier({
          speaker: 'SMTP server',
          submission: ownSubmission,
          settings: view,
          warn: (text) => parts.events.emit({ kind: 'warning', text }),
          now,
        }),
        submission: ownSubmission,
        hostLookup,
        rewriter,
        events: parts.events,
        anvil,
        now,
        freeBytes: () => store.freeBytes(),
        flushSite,
        tls,
        login,
      });
    const calm = createLateService(() => make(view), parts.events);
    const stressed = (): SmtpService => make(configuration.stressedSettingsFor(entry));
    const warn = (text: string): void => masterEvents.emit({ kind: 'warning', text });
    const limited = limitSessions(entry, { calm, stressed, warn, now });
    addServer(entry, reportingAt(limited, anvil));
  }
  const screenings: ConnectionService[] = [];
  for (const entry of services.filter(({ command, type }) => command === 'postscreen' && type === 'inet')) {
    const view = configuration.settingsFor(entry);
    const dnsblogEvents = channelOf(log, settings, 'dnsblog');
    const proxy = openerFor('tlsproxy', view);
    const tls = await openServerTls({
      settings: view,
      names: postscreenParameters,
      files: keyFiles,
      tables: proxy.tables,
      warn: (text) => proxy.events.emit({ kind: 'warning', text }),
      now,
    });
    const screening = createScreening({
      entry,
      settings: view,
      ...openerFor('postscreen', view),
      resolver: smtpdResolver(dnsblogEvents),
      dnsblogEvents,
      now,
      tls: tls === undefined ? undefined : { server: tls, events: proxy.events },
      servers: passServers,
    });
    screenings.push(screening);
    addServer(entry, screening);
  }

  const pickupEntry = services.find((entry) => entry.command === 'pickup');
  const pickup =
    pickupEntry === undefined
      ? undefined
      : createPickup({
          directory: `${queueDirectory}/maildrop`,
          submission: cleanupFor(configuration.settingsFor(pickupEntry)),
          settings: configuration.settingsFor(pickupEntry),
          events: channelOf(log, settings, 'pickup'),
          bouncer,
          cleanupEvents: channelOf(log, settings, 'cleanup'),
          refusedUser: (uid) => refusedUser('authorized_submit_users', uid, settings, tables),
          senderRight: (uid, sender) => senderRight(uid, sender, settings, tables),
          scanIntervalMs: (pickupEntry.wakeupSeconds || 60) * 1000,
        });
  const requeuer = createRequeuer({
    store,
    submission,
    settings,
    events: channelOf(log, settings, 'pickup'),
    uid: process.getuid?.() ?? 0,
    now,
  });
  const mayNot = (right: 'view' | 'flush', uid: number): Promise<string | undefined> =>
    refusedUser(right === 'view' ? 'authorized_mailq_users' : 'authorized_flush_users', uid, settings, tables);
  const control = await startControlServer({
    queueDirectory,
    store,
    qmgr,
    requeuer,
    flushSite,
    refusedUser: mayNot,
    warn,
  });
  const listening = await Promise.all(options.listeners.map((listener) => listen(listener, servers)));
  qmgr.start();
  await pickup?.start();
  const requeueTimer = setInterval(() => void requeuer.run(), settings.ms('queue_run_delay'));
  void requeuer.run();

  const close = async (deadlineMs: number): Promise<void> => {
    for (const server of listening) server.close();
    control.close();
    clearInterval(requeueTimer);
    await pickup?.stop();
    const sessions = drainServers(servers, screenings);
    await Promise.race([sessions, new Promise((resolve) => setTimeout(resolve, deadlineMs).unref())]);
    await qmgr.stop(deadlineMs);
    deliverers.close();
    for (const agent of agents.values()) await agent.close?.();
    verifier?.close();
    await store.close();
  };
  return {
    drain: () => close(drainDeadlineMs),
    stop: () => close(stopDeadlineMs),
    takeOver: async () => {
      await store.releaseLeases('dead');
      await qmgr.scan();
    },
  };
}

/** A client that has sent all it has to say gets its replies: half-open connections are allowed. */
function listen(listener: ListenerFd, servers: ReadonlyMap<string, ConnectionService>): Promise<Server> {
  const server = createServer({ noDelay: true, pauseOnConnect: false, allowHalfOpen: true }, (socket) => {
    const service = servers.get(`${listener.service}/inet`);
    if (service === undefined) socket.destroy();
    else service.accept(socket);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const ready = (): void => resolve(server);
    if (listener.fd === undefined) server.listen({ host: listener.address, port: listener.port }, ready);
    else server.listen({ fd: listener.fd }, ready);
  });
}
