/**
 * Everything unprivileged, joined: from master.cf's services to servers, agents and the queue. The one place where the
 * parts meet; who runs it (a process under the supervisor, or a single process) hands in listeners and deliverers.
 */
import { createServer, type Server } from 'node:net';
import type { Configuration } from '#config';
import type { DelivererPool } from '#delivery';
import type { EventLog } from '#events';
import { listenOn } from '#master';
import { refusedUser, type TableCopies } from '#tables';
import { openStore, type StoreOptions } from '#store';
import type { KeyFiles } from '#tls';
import { startControlServer } from './control-server.ts';
import { openLocalIntake } from './local-intake.ts';
import { openMailServers } from './mail-servers.ts';
import { openMessageCore } from './message-core.ts';
import { type ConnectionService, drainServers } from './screening.ts';
import { createServiceTools, warningsTo } from './service-tools.ts';
import { readTlsFiles } from './tls-services.ts';

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
  /** Of tables that only root may read. */
  readonly tableCopies?: TableCopies;
  readonly store?: Pick<StoreOptions, 'writerThread'>;
}

export interface MailSystem {
  /** Stops accepting, lets sessions and deliveries come to their end, closes the queue. */
  drain(): Promise<void>;
  /** The same within seconds. */
  stop(): Promise<void>;
  /** An older generation has ended: take over what it left. Never rejects. */
  takeOver(): Promise<void>;
}

/** For all that runs, together: master kills what takes longer than 4 s, and then the queue would not be left in order. */
const stopDeadlineMs = 2500;
const drainDeadlineMs = 600_000;
/** A predecessor that was killed may be there still when this one starts, with messages under its lease. */
const leaseCheckMs = 5000;

export async function startMailSystem(options: MailSystemOptions): Promise<MailSystem> {
  const { configuration, log, listeners, deliverers, store: storeOptions = {} } = options;
  const { settings } = configuration;
  const keyFiles = options.keyFiles ?? readTlsFiles(configuration);
  const tools = createServiceTools(configuration, log, options.tableCopies);
  const warn = warningsTo(tools.channelOf(settings, 'qmgr'));
  const store = await openStore({
    directory: settings.string('queue_directory'),
    longQueueIds: settings.bool('enable_long_queue_ids'),
    warn,
    // who started this process starts another one
    onLost: (reason) => {
      tools.channelOf(settings, 'qmgr').emit({ kind: 'fatal', text: `the queue can't be written: ${reason}` });
      log.flush();
      process.exit(1);
    },
    ...storeOptions,
  });
  const core = openMessageCore(tools, { deliverers, store, keyFiles });
  const { qmgr, flushSite, tables } = core;
  const servers = await openMailServers(tools, core, keyFiles);
  const intake = openLocalIntake(tools, core);
  const control = await startControlServer({
    queueDirectory: settings.string('queue_directory'),
    store,
    qmgr,
    requeuer: intake.requeuer,
    flushSite,
    refusedUser: (right, uid) =>
      refusedUser(right === 'view' ? 'authorized_mailq_users' : 'authorized_flush_users', uid, settings, tables),
    events: tools.channelOf(settings, 'postqueue'),
    writeLog: ({ tag, pid, kind, text }) => log.channel(tag, pid).emit({ kind, text }),
  });
  const listening = await Promise.all(
    listeners.map((listener) => listen(listener, servers.all, warningsTo(tools.channelOf(settings, 'master')))),
  );
  qmgr.start();
  await intake.start();

  /** What could not be taken over now is looked for again soon. */
  const takeOver = async (hasEnded: boolean): Promise<void> => {
    try {
      if ((await store.releaseLeases('dead')) > 0 || hasEnded) qmgr.scanNow();
    } catch (error) {
      warn(`cannot take over the queue: ${String(error)}`);
    }
  };
  const leaseCheck = setInterval(() => void takeOver(false), leaseCheckMs).unref();

  const within = async (deadlineMs: number, works: readonly Promise<void>[]): Promise<void> => {
    await Promise.race([Promise.all(works), new Promise((resolve) => setTimeout(resolve, deadlineMs).unref())]);
  };
  const close = async (end: () => Promise<void>): Promise<void> => {
    clearInterval(leaseCheck);
    for (const server of listening) server.close();
    control.close();
    await end();
    deliverers.close();
    for (const agent of core.agents.values()) await agent.close?.();
    core.verifier?.close();
    await store.close();
  };
  return {
    drain: () =>
      close(async () => {
        // what waits is the new generation's, however long this one takes
        qmgr.retire();
        await within(drainDeadlineMs, [intake.stop(), drainServers(servers.all, servers.screenings, true)]);
        await within(stopDeadlineMs, [drainServers(servers.all, servers.screenings, false)]);
        await qmgr.stop(drainDeadlineMs);
      }),
    stop: () =>
      close(async () => {
        const others = within(stopDeadlineMs, [intake.stop(), drainServers(servers.all, servers.screenings, false)]);
        await Promise.all([others, qmgr.stop(stopDeadlineMs)]);
      }),
    takeOver: () => takeOver(true),
  };
}

/** A client that has sent all it has to say gets its replies: half-open connections are allowed. */
async function listen(
  listener: ListenerFd,
  servers: ReadonlyMap<string, ConnectionService>,
  warn: (text: string) => void,
): Promise<Server> {
  const server = createServer({ noDelay: true, pauseOnConnect: false, allowHalfOpen: true }, (socket) => {
    const service = servers.get(`${listener.service}/inet`);
    if (service === undefined) socket.destroy();
    else service.accept(socket);
  });
  const { fd, address, port } = listener;
  await listenOn(server, fd === undefined ? { host: address, port } : { fd }, warn);
  return server;
}
