/** An SMTP service: takes connections, holds its sessions, ends them when the system stops. smtpd(8) */
import type { Socket } from 'node:net';
import { clientOf, Session, type SessionOptions } from './session.ts';

export type SmtpServerOptions = Omit<SessionOptions, 'sessionsOfClient'>;

export class SmtpServer {
  readonly #options: SmtpServerOptions;
  readonly #sessions = new Map<Session, Promise<void>>();
  readonly #perClient = new Map<string, number>();

  constructor(options: SmtpServerOptions) {
    this.#options = options;
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  accept(socket: Socket): void {
    socket.setNoDelay(true);
    const client = clientOf(socket);
    this.#perClient.set(client.address, (this.#perClient.get(client.address) ?? 0) + 1);
    const session = new Session(socket, client, {
      ...this.#options,
      sessionsOfClient: () => this.#perClient.get(client.address) ?? 0,
    });
    const running = session.run().finally(() => {
      this.#sessions.delete(session);
      const left = (this.#perClient.get(client.address) ?? 1) - 1;
      if (left === 0) this.#perClient.delete(client.address);
      else this.#perClient.set(client.address, left);
    });
    this.#sessions.set(session, running);
  }

  /** Lets transactions finish, then says 421; resolves when all sessions have ended. */
  async drain(): Promise<void> {
    for (const session of this.#sessions.keys()) session.drain();
    await Promise.all(this.#sessions.values());
  }
}

export function createSmtpServer(options: SmtpServerOptions): SmtpServer {
  return new SmtpServer(options);
}
