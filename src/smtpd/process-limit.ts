/**
 * The process limit of an SMTP service, here a limit of sessions: connections beyond it wait. The client that takes the
 * last place, and who comes for a while after it, has the settings of `stress = yes`. master(5) maxproc, STRESS_README
 */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { ServiceEntry } from '#config';
import type { Anvil } from './anvil.ts';
import type { ServedSocket, SmtpService } from './server.ts';

/** How long the last place is remembered, and a warning not repeated, as by Postfix's master. */
const stressMs = 1_000_000;

const lookAgainMs = 20;

interface ProcessLimitOptions {
  /** Its name in master.cf. */
  readonly service: string;
  readonly limit: number;
  /** Where strangers find it: `25`, `[192.0.2.1]:25`; undefined: nowhere, it knows no stress. */
  readonly place: string | undefined;
  readonly calm: SmtpService;
  /** Made when it is first needed. */
  readonly stressed: () => SmtpService;
  readonly warn: (text: string) => void;
  readonly now: () => number;
}

interface Waiting {
  readonly socket: ServedSocket;
  readonly known: Parameters<SmtpService['accept']>[1];
}

class LimitedService implements SmtpService {
  readonly #options: ProcessLimitOptions;
  #stressed: SmtpService | undefined;
  readonly #waiting: Waiting[] = [];
  #active = 0;
  #stressUntil = 0;
  #warnedUntil = 0;
  #isDraining = false;

  constructor(options: ProcessLimitOptions) {
    this.#options = options;
  }

  accept(socket: ServedSocket, known?: Waiting['known']): void {
    if (this.#active < this.#options.limit || this.#isDraining) return this.#serve(socket, known);
    const waiting = { socket, known };
    this.#waiting.push(waiting);
    socket.once('close', () => {
      const at = this.#waiting.indexOf(waiting);
      if (at >= 0) this.#waiting.splice(at, 1);
    });
    socket.once('error', () => socket.destroy());
  }

  #serve(socket: ServedSocket, known: Waiting['known']): void {
    this.#active += 1;
    const { limit, place, now } = this.#options;
    const isLast = this.#active === limit && limit > 1 && place !== undefined;
    if (isLast) this.#stressUntil = now() + stressMs;
    socket.once('close', () => {
      this.#active -= 1;
      const next = this.#waiting.shift();
      if (next !== undefined) this.#serve(next.socket, next.known);
    });
    this.#current().accept(socket, known);
    if (isLast) this.#warn(place);
  }

  #warn(place: string): void {
    const { service, limit, warn, now } = this.#options;
    if (now() < this.#warnedUntil) return;
    this.#warnedUntil = now() + stressMs;
    const reached = `service "${service}" (${place}) has reached its process limit "${limit}"`;
    warn(`${reached}: new clients may experience noticeable delays`);
    warn('to avoid this condition, increase the process count in master.cf or reduce the service time per client');
    warn('see https://www.postfix.org/STRESS_README.html for examples of stress-adapting configuration settings');
  }

  #current(): SmtpService {
    const { calm, stressed, now } = this.#options;
    if (this.#stressUntil <= now()) return calm;
    this.#stressed ??= stressed();
    return this.#stressed;
  }

  /** Those who wait are served as others go. */
  async sessionsEnd(): Promise<void> {
    for (;;) {
      await Promise.all([this.#options.calm.sessionsEnd(), this.#stressed?.sessionsEnd()]);
      await nextTurn();
      if (this.#waiting.length === 0) return;
      // a session is over before its connection is, whose client may be slow to take the last reply
      await sleep(lookAgainMs);
    }
  }

  /** Who waits has not been greeted, and comes again. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    for (const { socket } of this.#waiting.splice(0)) socket.destroy();
    await Promise.all([this.#options.calm.drain(), this.#stressed?.drain()]);
  }
}

/**
 * Bounds the sessions of a service whose limit somebody has chosen. The default of 100 is one of processes, which this
 * program does not have: sessions beyond it cost little, and are served.
 */
export function limitSessions(entry: ServiceEntry, parts: Omit<ProcessLimitOptions, 'service' | 'limit'>): SmtpService {
  if (!entry.isLimitChosen || entry.processLimit === 0) return parts.calm;
  return new LimitedService({ ...parts, service: entry.name, limit: entry.processLimit });
}

/** A service that counts its clients in `anvil` for as long as it is there. */
export function countingIn(anvil: Anvil, service: SmtpService): SmtpService {
  anvil.join();
  return {
    accept: (socket, known) => service.accept(socket, known),
    sessionsEnd: () => service.sessionsEnd(),
    drain: () => service.drain().finally(() => anvil.leave()),
  };
}
