/** An SMTP service: takes connections, holds its sessions, ends them when the system stops. smtpd(8) */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Roster } from '#message';
import { type Endpoint, Turn } from '#smtp';
import { Anvil } from './anvil.ts';
import { rememberFreeSpace } from './free-space.ts';
import { clientAt, type ClientFacts, clientOf, localClient } from './session-state.ts';
import { Session, type SessionOptions } from './session.ts';
import { type HeaderLimits, toldClient } from './upstream-proxy.ts';

export interface SmtpServerOptions extends Omit<SessionOptions, 'anvil' | 'turn' | 'isStandAlone'> {
  /** Shared by the services of a process; without it the service counts alone. */
  readonly anvil?: Anvil;
}

/** What a session needs of a connection. */
export type ServedSocket = Duplex &
  Pick<Socket, 'remoteAddress' | 'remotePort' | 'localAddress' | 'localPort'> & { setNoDelay(on: boolean): unknown };

/** A connection that was handed over: its two ends, and what the client has sent so far. */
export interface HandedOver {
  readonly client: Endpoint;
  readonly server: Endpoint;
  readonly early: Buffer;
}

/** What takes the connections of a service. */
export interface SmtpService {
  /** `known`: what postscreen knows of the connection, and no header has to tell. */
  accept(socket: ServedSocket, known?: HandedOver): void;
  /** Resolves when all sessions have come to an end of their own. */
  sessionsEnd(): Promise<void>;
  /** Lets transactions finish, then says 421; resolves when all sessions have ended. */
  drain(): Promise<void>;
}

export class SmtpServer implements SmtpService {
  readonly #options: SessionOptions;
  readonly #ownAnvil: Anvil | undefined;
  readonly #sessions = new Roster<number, { readonly session: Session; readonly running: Promise<void> }>();
  #sessionCount = 0;
  /** Connections whose client is not told yet, up to their end. */
  readonly #waiting = new Set<Promise<void>>();
  #isDraining = false;

  constructor({ anvil, ...options }: SmtpServerOptions) {
    const counting = anvil ?? countingAlone(options);
    this.#ownAnvil = anvil === undefined ? counting : undefined;
    this.#options = {
      ...options,
      anvil: counting,
      turn: new Turn(),
      isStandAlone: false,
      freeBytes: rememberFreeSpace(options.freeBytes),
    };
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  accept(socket: ServedSocket, known?: HandedOver): void {
    socket.setNoDelay(true);
    const { upstreamProxy, families } = this.#options.settings;
    if (known !== undefined) {
      if (upstreamProxy !== undefined) {
        const text = 'ignoring non-empty smtpd_upstream_proxy_protocol setting behind postscreen';
        this.#options.events.emit({ kind: 'warning', text });
      }
      void this.#serve(socket, clientAt(known), this.#options, known.early);
    } else if (upstreamProxy === undefined) void this.#serve(socket, clientOf(socket), this.#options);
    else void this.#serveProxied(socket, { ...upstreamProxy, families });
  }

  /** Behind a load balancer, which tells who the client is. */
  #serveProxied(socket: ServedSocket, limits: HeaderLimits): Promise<void> {
    const warn = (text: string): void => this.#options.events.emit({ kind: 'warning', text });
    const serving = toldClient(socket, limits, warn)
      .then(({ client, early }) => {
        const options = { ...this.#options, isUntold: client === undefined };
        const running = this.#serve(socket, client ?? clientOf(socket), options, early);
        socket.resume();
        return running;
      })
      .finally(() => this.#waiting.delete(serving));
    this.#waiting.add(serving);
    return serving;
  }

  /** A conversation that is no network connection: `sendmail -bs`. Resolves at its end. */
  serveStream(stream: Duplex): Promise<void> {
    return this.#serve(stream, localClient(), { ...this.#options, isStandAlone: true });
  }

  #serve(stream: Duplex, client: ClientFacts, options: SessionOptions, early?: Buffer): Promise<void> {
    const session = new Session(stream, client, options);
    if (early !== undefined && early.length > 0) session.exchange.input.take(early);
    this.#sessionCount += 1;
    const number = this.#sessionCount;
    const running = session.run().finally(() => void this.#sessions.delete(number));
    this.#sessions.set(number, { session, running });
    if (this.#isDraining) session.drain();
    return running;
  }

  async sessionsEnd(): Promise<void> {
    while (this.#sessions.size > 0 || this.#waiting.size > 0)
      await Promise.all([...[...this.#sessions.values()].map(({ running }) => running), ...this.#waiting]);
  }

  async drain(): Promise<void> {
    this.#isDraining = true;
    const open = [...this.#sessions.values()];
    for (const { session } of open) session.drain();
    await Promise.all([...open.map(({ running }) => running), ...this.#waiting]);
    this.#ownAnvil?.report();
  }
}

function countingAlone({ settings, events, now }: SmtpServerOptions): Anvil {
  const { rateTimeUnitMs, anvilStatusUpdateMs: statusUpdateMs } = settings;
  return new Anvil({ rateTimeUnitMs, statusUpdateMs, idleMs: rateTimeUnitMs, events, now });
}

export function createSmtpServer(options: SmtpServerOptions): SmtpServer {
  return new SmtpServer(options);
}
