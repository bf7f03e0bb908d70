/**
 * How many sessions a client has, and how often it comes: the limits of anvil(8), for all SMTP services of a process.
 *
 * Counted by service and client network. Rates are of the running interval (anvil_rate_time_unit), which begins with the
 * first event after the one before has ended.
 */
import { formatIp, networkAddress, parseIp } from '#address';
import type { Settings } from '#config';
import type { EventChannel } from '#events';

export type RateKind = 'connection' | 'message' | 'recipient' | 'auth' | 'newTlsSession';

export interface AnvilOptions {
  readonly rateTimeUnitMs: number;
  readonly statusUpdateMs: number;
  /** After so long without a client Postfix's anvil(8) ends, with its report and its counters. max_idle */
  readonly idleMs: number;
  readonly events: EventChannel;
  readonly now: () => number;
}

interface ClientCounts {
  sessions: number;
  intervalStartedAt: number;
  readonly rates: Record<RateKind, number>;
}

interface Peak {
  value: number;
  client: string;
  at: number;
}

const peakNames: Readonly<Record<RateKind, string>> = {
  connection: 'max connection rate',
  message: 'max message rate',
  recipient: 'max recipient rate',
  newTlsSession: 'max newtls rate',
  auth: 'max auth rate',
};
const rateKinds: readonly RateKind[] = ['connection', 'message', 'recipient', 'newTlsSession', 'auth'];

/** Clients without a session are forgotten from here on. */
const maxIdleClients = 10_000;

export class Anvil {
  readonly #options: AnvilOptions;
  readonly #clients = new Map<string, ClientCounts>();
  readonly #peaks = new Map<RateKind | 'sessions', Peak>();
  #cachePeak = { value: 0, at: 0 };
  /** Runs from the first event after a report; keeps no process alive. anvil_status_update_time */
  #reportTimer: NodeJS.Timeout | undefined;
  /** Runs while there is no session. */
  #idleTimer: NodeJS.Timeout | undefined;
  #sessions = 0;
  /** Services that count here. */
  #users = 0;

  constructor(options: AnvilOptions) {
    this.#options = options;
  }

  /** A session begins: sessions of this client now, and connections in this interval. */
  connect(client: string): { readonly sessions: number; readonly rate: number } {
    const rate = this.count(client, 'connection');
    const counts = this.#countsOf(client);
    counts.sessions += 1;
    this.#sessions += 1;
    clearTimeout(this.#idleTimer);
    this.#note('sessions', counts.sessions, client);
    return { sessions: counts.sessions, rate };
  }

  disconnect(client: string): void {
    const counts = this.#clients.get(client);
    if (counts === undefined || counts.sessions === 0) return;
    counts.sessions -= 1;
    this.#sessions -= 1;
    if (this.#sessions > 0) return;
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.#rest(), this.#options.idleMs).unref();
  }

  #rest(): void {
    this.report();
    this.#clients.clear();
  }

  /** A service begins to count. */
  join(): void {
    this.#users += 1;
  }

  /** And ends: the last one has its report. */
  leave(): void {
    this.#users -= 1;
    if (this.#users > 0) return;
    clearTimeout(this.#idleTimer);
    this.report();
  }

  /** One more event of a kind: how many there were in this interval. */
  count(client: string, kind: RateKind): number {
    const counts = this.#countsOf(client);
    counts.rates[kind] += 1;
    this.#note(kind, counts.rates[kind], client);
    return counts.rates[kind];
  }

  /** How many events of a kind there were in this interval. */
  rateOf(client: string, kind: RateKind): number {
    return this.#countsOf(client).rates[kind];
  }

  #countsOf(client: string): ClientCounts {
    const now = this.#options.now();
    this.#reportTimer ??= setTimeout(() => this.report(), this.#options.statusUpdateMs).unref();
    let counts = this.#clients.get(client);
    if (counts === undefined) {
      if (this.#clients.size >= maxIdleClients) this.#forgetIdle(now);
      counts = { sessions: 0, intervalStartedAt: now, rates: noRates() };
      this.#clients.set(client, counts);
      if (this.#clients.size > this.#cachePeak.value) this.#cachePeak = { value: this.#clients.size, at: now };
    } else if (now - counts.intervalStartedAt > this.#options.rateTimeUnitMs) {
      counts.intervalStartedAt = now;
      Object.assign(counts.rates, noRates());
    }
    return counts;
  }

  #forgetIdle(now: number): void {
    for (const [client, counts] of this.#clients) {
      if (counts.sessions === 0 && now - counts.intervalStartedAt > this.#options.rateTimeUnitMs)
        this.#clients.delete(client);
    }
    if (this.#clients.size < maxIdleClients) return;
    for (const [client, counts] of this.#clients) if (counts.sessions === 0) this.#clients.delete(client);
  }

  #note(kind: RateKind | 'sessions', value: number, client: string): void {
    const peak = this.#peaks.get(kind);
    if (peak === undefined) this.#peaks.set(kind, { value, client, at: this.#options.now() });
    else if (value > peak.value) Object.assign(peak, { value, client, at: this.#options.now() });
  }

  /** Tells the peaks since the last report; also to be called at the end. */
  report(): void {
    const now = this.#options.now();
    const { events, rateTimeUnitMs } = this.#options;
    const say = (name: string, figure: string, at: number, client?: string): void =>
      events.emit({ kind: 'statistics', name, figure, at, ...(client === undefined ? {} : { client }) });
    for (const kind of rateKinds) {
      const peak = this.#peaks.get(kind);
      if (peak !== undefined)
        say(peakNames[kind], `${peak.value}/${Math.round(rateTimeUnitMs / 1000)}s`, peak.at, peak.client);
      if (kind !== 'connection') continue;
      const sessions = this.#peaks.get('sessions');
      if (sessions !== undefined) say('max connection count', String(sessions.value), sessions.at, sessions.client);
    }
    if (this.#cachePeak.value > 0) say('max cache size', String(this.#cachePeak.value), this.#cachePeak.at);
    this.#peaks.clear();
    this.#cachePeak = { value: 0, at: now };
    clearTimeout(this.#reportTimer);
    this.#reportTimer = undefined;
  }
}

function noRates(): Record<RateKind, number> {
  return { connection: 0, message: 0, recipient: 0, auth: 0, newTlsSession: 0 };
}

/** `service:network`: whom counters belong to. smtpd_client_ipv4_prefix_length, smtpd_client_ipv6_prefix_length */
export function anvilClient(
  service: string,
  address: string,
  prefixes: { readonly ipv4: number; readonly ipv6: number },
): string {
  const ip = parseIp(address);
  const whole = ip?.family === 'ipv6' ? 128 : 32;
  const prefixLength = ip === undefined ? whole : prefixes[ip.family];
  if (ip === undefined || prefixLength >= whole) return `${service}:${address}`;
  return `${service}:${formatIp(networkAddress({ ...ip, prefixLength }))}/${prefixLength}`;
}

/**
 * The counters that all SMTP services share. `own`: settings of anvil(8); `servers`: of whom it serves. `events`: channel of
 * the statistics (`postfix/anvil`).
 */
export function createAnvil(own: Settings, servers: Settings, events: EventChannel, now: () => number): Anvil {
  const rateTimeUnitMs = own.ms('anvil_rate_time_unit');
  return new Anvil({
    rateTimeUnitMs,
    statusUpdateMs: own.timerMs('anvil_status_update_time'),
    // as in Postfix: the last server ends idle, then anvil(8) does; and no counter is dropped before its time unit is over
    idleMs: servers.timerMs('max_idle') + Math.max(own.timerMs('max_idle'), rateTimeUnitMs),
    events,
    now,
  });
}
