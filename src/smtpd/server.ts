/** An SMTP service: takes connections, holds its sessions, ends them when the system stops. smtpd(8) */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { EventChannel } from '#events';
import { Anvil } from './anvil.ts';
import { rememberFreeSpace } from './free-space.ts';
import { type ClientFacts, clientOf, localClient } from './session-state.ts';
import { Session, type SessionOptions } from './session.ts';

export interface SmtpServerOptions extends Omit<SessionOptions, 'anvil' | 'isStandAlone'> {
  /** Shared by the services of a process; without it the service counts alone. */
  readonly anvil?: Anvil;
  /** Channel of the anvil's statistics (`postfix/anvil`). */
  readonly anvilEvents?: EventChannel;
}

/** What a session needs of a connection. */
export type ServedSocket = Duplex &
  Pick<Socket, 'remoteAddress' | 'remotePort' | 'localAddress' | 'localPort'> & { setNoDelay(on: boolean): unknown };

/** What takes the connections of a service. */
export interface SmtpService {
  accept(socket: ServedSocket): void;
  drain(): Promise<void>;
}

export class SmtpServer implements SmtpService {
  readonly #options: SessionOptions;
  readonly #ownAnvil: Anvil | undefined;
  readonly #sessions = new Map<Session, Promise<void>>();

  constructor({ anvil, anvilEvents, ...options }: SmtpServerOptions) {
    const { rateTimeUnitMs, anvilStatusUpdateMs: statusUpdateMs } = options.settings;
    const { now } = options;
    const own = new Anvil({ rateTimeUnitMs, statusUpdateMs, events: anvilEvents ?? options.events, now });
    this.#ownAnvil = anvil === undefined ? own : undefined;
    this.#options = {
      ...options,
      anvil: anvil ?? own,
      isStandAlone: false,
      freeBytes: rememberFreeSpace(options.freeBytes, now),
    };
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  accept(socket: ServedSocket): void {
    socket.setNoDelay(true);
    void this.#serve(socket, clientOf(socket), this.#options);
  }

  /** A conversation that is no network connection: `sendmail -bs`. Resolves at its end. */
  serveStream(stream: Duplex, userName: string): Promise<void> {
    return this.#serve(stream, localClient(userName), { ...this.#options, isStandAlone: true });
  }

  #serve(stream: Duplex, client: ClientFacts, options: SessionOptions): Promise<void> {
    const session = new Session(stream, client, options);
    const running = session.run().finally(() => this.#sessions.delete(session));
    this.#sessions.set(session, running);
    return running;
  }

  /** Lets transactions finish, then says 421; resolves when all sessions have ended. */
  async drain(): Promise<void> {
    for (const session of this.#sessions.keys()) session.drain();
    await Promise.all(this.#sessions.values());
    this.#ownAnvil?.report();
  }
}

export function createSmtpServer(options: SmtpServerOptions): SmtpServer {
  return new SmtpServer(options);
}
