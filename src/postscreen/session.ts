/**
 * One connection from its beginning until a real server has it, or it ends: permanent lists, the cache, tests before the
 * greeting, tests after it. postscreen(8)
 */
import { type EventChannel, panicOf } from '#events';
import type { Cache } from '#tables';
import { type CacheEntry, formatCacheEntry, joinedEntry, parseCacheEntry } from './cache-entry.ts';
import type { ClientStream } from './client-stream.ts';
import type { Dnsbl } from './dnsbl.ts';
import { runEarlyTests } from './early-tests.ts';
import type { PresentClient, ScreeningLimits } from './limits.ts';
import type { ListingLog } from './listing-log.ts';
import { runProtocolEngine } from './protocol-engine.ts';
import { renderReply } from './replies.ts';
import { type ScreenedTls, secureClient } from './screened-tls.ts';
import { type Endpoints, endpointText, type HandedOver, type ScreenedSocket } from './screened-socket.ts';
import type { Action, PostscreenSettings, StressedMs } from './settings.ts';
import { TestResults } from './test-results.ts';

export interface ScreeningOptions {
  readonly settings: PostscreenSettings;
  readonly limits: ScreeningLimits;
  readonly listings: ListingLog;
  readonly dnsbl: Dnsbl;
  readonly cache: Cache | undefined;
  readonly events: EventChannel;
  /** ms since the epoch. */
  readonly now: () => number;
  /** Gives the socket to a real server, with all that a server has to know of it. */
  readonly handOver: (socket: ScreenedSocket, known: HandedOver) => void;
  /** Clients that a real server has no room for. */
  readonly waitingForServer: () => number;
  /** Undefined: clients are offered no TLS. */
  readonly tls: ScreenedTls | undefined;
}

/** Who a connection is for. */
type Admission = 'permanent' | 'cached' | 'to be tested' | 'refused';

export class ScreeningSession {
  readonly settings: PostscreenSettings;
  readonly events: EventChannel;
  readonly dnsbl: Dnsbl;
  readonly stream: ClientStream;
  readonly endpoints: Endpoints;
  /** `[address]:port`, as logged. */
  readonly client: string;
  results: TestResults;
  /** What RCPT is answered. */
  recipientReply = '450 4.3.2 Service currently unavailable';
  /** Whether no real server may have the client. */
  isBarred = false;
  /** The client has been sent away. */
  isOver = false;
  /** The client spoke early and is punished for it: it gets no second greeting. */
  skipsGreeting = false;
  /** Since STARTTLS. */
  isSecured = false;
  readonly #options: ScreeningOptions;
  #isTested = false;
  #here: PresentClient | undefined;

  constructor(stream: ClientStream, endpoints: Endpoints, options: ScreeningOptions) {
    this.#options = options;
    this.settings = options.settings;
    this.events = options.events;
    this.dnsbl = options.dnsbl;
    this.stream = stream;
    this.endpoints = endpoints;
    this.client = endpointText(endpoints.client);
    this.results = new TestResults({ cached: undefined, enabled: this.settings.enabled, nowSeconds: this.nowSeconds });
  }

  get now(): number {
    return this.#options.now();
  }

  get nowSeconds(): number {
    return Math.floor(this.#options.now() / 1000);
  }

  /** STARTTLS is announced. */
  get offersTls(): boolean {
    return this.#options.tls !== undefined && !this.isSecured;
  }

  get canStartTls(): boolean {
    return this.offersTls && this.#options.tls?.server.acceptor !== undefined;
  }

  /** Nothing else will do. postscreen_tls_security_level */
  get demandsTls(): boolean {
    return this.offersTls && this.#options.tls?.server.isDemanded === true;
  }

  /** Says that the handshake may begin, and goes through it; false: the client is gone. */
  async secure(reply: string): Promise<boolean> {
    const { tls } = this.#options;
    if (tls === undefined) return false;
    const { client } = this.endpoints;
    this.isSecured = await secureClient(this.stream, tls, {
      client,
      text: this.client,
      timeoutMs: this.effectiveMs(this.settings.starttlsTimeoutMs),
      invite: () => this.say(reply),
    });
    return this.isSecured;
  }

  /** A time limit as it is now. */
  effectiveMs({ normal, stressed }: StressedMs): number {
    return this.#options.limits.isStressed ? stressed : normal;
  }

  /** Runs to the end; never rejects. */
  async run(): Promise<void> {
    const { client, endpoints, events } = this;
    const { limits } = this.#options;
    events.emit({ kind: 'screened', client, server: endpointText(endpoints.server) });
    const { address } = endpoints.client;
    const here = limits.enter(address);
    try {
      const admission = await this.#admit(here);
      if (admission === 'to be tested') await this.#test();
      else if (admission !== 'refused') this.#handOver();
    } catch (error) {
      events.emit(panicOf(error));
      this.#breakOff();
    } finally {
      limits.leave(address);
    }
  }

  /** After an error of ours: nothing that may fail again. */
  #breakOff(): void {
    this.isOver = true;
    this.stream.write('421 4.3.0 Server local error\r\n');
    this.events.emit({ kind: 'screenDisconnected', client: this.client });
    this.stream.close();
  }

  async #admit(here: PresentClient): Promise<Admission> {
    const { settings, client, events, endpoints } = this;
    const { limits, listings, waitingForServer } = this.#options;
    const { clientConnectionLimit, postQueueLimit } = settings;
    if (clientConnectionLimit > 0 && here.connections > clientConnectionLimit) {
      events.emit({ kind: 'screenRefused', client, why: 'too many connections' });
      return this.#refuse('421 4.7.0 Error: too many connections');
    }
    if (waitingForServer() >= postQueueLimit) {
      events.emit({ kind: 'screenRefused', client, why: 'all server ports busy' });
      return this.#refuse('421 4.3.2 All server ports are busy');
    }
    const listed = await settings.accessList.check(endpoints.client.address, (text) => this.warn(text));
    if (listed === 'permit') {
      listings.note(client, 'allowed');
      return 'permanent';
    }
    if (listed === 'reject') {
      listings.note(client, 'denied');
      await this.punish(settings.denylistAction, '5.3.2 Service currently unavailable');
      if (this.isOver) return 'refused';
    }
    const cached = this.isBarred ? undefined : joinedEntry(this.#lookUp(), here.results);
    this.results = new TestResults({
      cached,
      enabled: settings.enabled,
      nowSeconds: this.nowSeconds,
      onNews: (known) => (here.results = joinedEntry(here.results, known)),
    });
    this.#here = here;
    if (!this.isBarred && this.results.isComplete && cached !== undefined) {
      events.emit({ kind: 'screenPassed', client, isNew: false });
      return 'cached';
    }
    if (!(await this.#maySeekAdmission())) {
      listings.note(client, 'vetoed');
      this.isBarred = true;
    }
    if (limits.isFull) {
      events.emit({ kind: 'screenRefused', client, why: 'all screening ports busy' });
      return this.#refuse('421 4.3.2 All screening ports are busy');
    }
    return 'to be tested';
  }

  async #refuse(reply: string): Promise<'refused'> {
    await this.end(reply);
    return 'refused';
  }

  #lookUp(): CacheEntry | undefined {
    const text = this.#options.cache?.get(this.endpoints.client.address);
    return text === undefined ? undefined : parseCacheEntry(text);
  }

  /** postscreen_allowlist_interfaces; what can't be looked up gives no admission. */
  async #maySeekAdmission(): Promise<boolean> {
    const { address } = this.endpoints.server;
    return (await this.settings.allowlistInterfaces.matches(address, address)) === 'yes';
  }

  async #test(): Promise<void> {
    this.#isTested = true;
    await runEarlyTests(this);
    if (this.isOver) return;
    if (this.isBarred || !this.results.isComplete) await runProtocolEngine(this);
    else {
      this.#conclude();
      this.#handOver();
    }
  }

  /** Says whether the client has passed, and remembers it; a failure that is ignored keeps no other result from being kept. */
  #conclude(): void {
    const { results, client, events, endpoints } = this;
    const { cache, settings } = this.#options;
    const { news } = results;
    if (!this.#isTested || this.isBarred || news === undefined) return;
    if (results.isComplete && !results.failed) {
      events.emit({ kind: 'screenPassed', client, isNew: results.isNewClient && this.#here?.hasPassed !== true });
      if (this.#here !== undefined) this.#here.hasPassed = true;
    }
    cache?.set(endpoints.client.address, formatCacheEntry(news, settings.enabled));
  }

  #handOver(): void {
    const { stream, endpoints, client, events } = this;
    this.isOver = true;
    if (stream.socket.destroyed) events.emit({ kind: 'screenDisconnected', client });
    else this.#options.handOver(stream.socket, { ...endpoints, early: stream.release() });
  }

  /** What a failed test leads to. The texts are of replies, without their codes. */
  async punish(action: Action, text: string, dropText = text): Promise<void> {
    if (action === 'ignore') return;
    this.isBarred = true;
    if (action === 'drop') return this.end(`521 ${dropText}`);
    this.recipientReply = `550 ${text}`;
  }

  /** The last words, if any, and the end of the connection. */
  async end(reply?: string): Promise<void> {
    if (this.isOver) return;
    this.isOver = true;
    if (reply !== undefined) await this.say(reply);
    this.#conclude();
    this.events.emit({ kind: 'screenDisconnected', client: this.client });
    this.stream.close();
  }

  /** The client has gone. */
  hangUp(stage: 'before' | 'after', startedAt: number): Promise<void> {
    const { client, settings } = this;
    const afterMs = this.now - startedAt;
    this.events.emit({ kind: 'screenHangup', client, stage, afterMs, delayDigits: settings.delayDigits });
    return this.end();
  }

  async say(reply: string): Promise<void> {
    const { settings, endpoints, now } = this;
    const text = await renderReply(reply, { settings, endpoints, at: now, warn: (problem) => this.warn(problem) });
    this.stream.write(text);
  }

  warn(text: string): void {
    this.events.emit({ kind: 'warning', text });
  }
}
