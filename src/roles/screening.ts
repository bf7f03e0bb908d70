/** postscreen, joined with the SMTP servers that get its clients. postscreen(8); postconf(5) smtpd_service_name */
import { ConfigError, placeOfService, type ServiceEntry, type Settings } from '#config';
import type { Resolver } from '#dns';
import type { EventChannel } from '#events';
import {
  compilePostscreenSettings,
  createPostscreen,
  type HandedOver,
  type PostscreenServer,
  type ScreenedTls,
  type ScreenedSocket,
} from '#postscreen';
import type { TableOpener } from '#tables';

/** What takes connections: an SMTP server, or postscreen. */
export interface ConnectionService {
  /** `known`: what postscreen knows of the connection. */
  accept(socket: ScreenedSocket, known?: HandedOver): void;
  sessionsEnd?(): Promise<void>;
  drain(): Promise<void>;
}

export interface ScreeningParts {
  readonly entry: ServiceEntry;
  readonly settings: Settings;
  readonly tables: TableOpener;
  readonly resolver: Resolver;
  readonly events: EventChannel;
  readonly dnsblogEvents: EventChannel;
  readonly now: () => number;
  readonly tls: ScreenedTls | undefined;
  /** The `pass` services of master.cf that are SMTP servers, by name. */
  readonly servers: ReadonlyMap<string, { readonly service: ConnectionService; readonly processLimit: number }>;
}

export function createScreening(parts: ScreeningParts): PostscreenServer {
  const { entry, settings, tables, servers, ...rest } = parts;
  const name = settings.string('smtpd_service_name');
  const server = servers.get(name);
  if (server === undefined) {
    throw new ConfigError([
      `${placeOfService(entry)}smtpd_service_name = ${name}: master.cf has no such service; add "${name} pass - - y - - smtpd"`,
    ]);
  }
  let served = 0;
  return createPostscreen({
    ...rest,
    settings: compilePostscreenSettings(settings, tables),
    handOver: (socket, known) => {
      served += 1;
      socket.once('close', () => (served -= 1));
      server.service.accept(socket, known);
    },
    // a server here takes every client at once; as many as would have to wait for a process with Postfix count as waiting
    waitingForServer: () => (server.processLimit === 0 ? 0 : Math.max(0, served - server.processLimit)),
  });
}

/**
 * Servers that get clients from postscreen end after it: those it still tests may pass. Keys: `name/type`. Patient: their
 * sessions come to an end of their own; otherwise clients are told to come again when their transactions have ended.
 */
export async function drainServers(
  servers: ReadonlyMap<string, ConnectionService>,
  screenings: readonly ConnectionService[],
  isPatient: boolean,
): Promise<void> {
  const screened = Promise.all(screenings.map((screening) => screening.drain()));
  const others = [...servers].filter(([, server]) => !screenings.includes(server));
  await Promise.all(
    others.map(async ([name, server]) => {
      if (name.endsWith('/pass')) await screened;
      if (isPatient) await server.sessionsEnd?.();
      await server.drain();
    }),
  );
}
