/** The service in front of the SMTP server: it decides which clients may talk to it. postscreen(8) */
import type { Resolver } from '#dns';
import type { EventChannel } from '#events';
import { type Cache, keepCacheClean, openCache } from '#tables';
import { isWorthKeeping } from './cache-entry.ts';
import { ClientStream } from './client-stream.ts';
import { Dnsbl } from './dnsbl.ts';
import { ScreeningLimits } from './limits.ts';
import { ListingLog } from './listing-log.ts';
import { endpointsOf, type ScreenedSocket } from './screened-socket.ts';
import { type ScreeningOptions, ScreeningSession } from './session.ts';
import type { PostscreenSettings } from './settings.ts';
import { toldEndpoints } from './upstream-proxy.ts';

export interface PostscreenOptions extends Pick<
  ScreeningOptions,
  'events' | 'now' | 'handOver' | 'waitingForServer' | 'tls'
> {
  readonly settings: PostscreenSettings;
  readonly resolver: Resolver;
  /** Channel of the lists' answers (`postfix/dnsblog`). */
  readonly dnsblogEvents: EventChannel;
}

export class PostscreenServer {
  readonly #options: ScreeningOptions;
  readonly #sessions = new Set<Promise<void>>();
  readonly #cleanup: { stop(): void } | undefined;
  #end: Promise<void> | undefined;

  constructor({ settings, resolver, dnsblogEvents, events, ...rest }: PostscreenOptions) {
    const cache = openClientCache(settings, events);
    const { dnsblSites: sites, dnsblTimeoutMs: timeoutMs, dnsblReplyMap: replyMap } = settings;
    this.#options = {
      ...rest,
      settings,
      events,
      cache,
      limits: new ScreeningLimits(settings.preQueueLimit, events),
      listings: new ListingLog(events, settings.listingWords),
      dnsbl: new Dnsbl({
        sites,
        timeoutMs,
        replyMap,
        minTtlSeconds: settings.dnsblMinTtlSeconds,
        maxTtlSeconds: settings.dnsblMaxTtlSeconds,
        resolver,
        events,
        answerEvents: dnsblogEvents,
      }),
    };
    this.#cleanup = cache === undefined ? undefined : startCleanup(cache, settings, this.#options);
  }

  accept(socket: ScreenedSocket): void {
    socket.setNoDelay(true);
    if (this.#end !== undefined) {
      socket.destroy();
      return;
    }
    const serving = this.#serve(new ClientStream(socket)).finally(() => this.#sessions.delete(serving));
    this.#sessions.add(serving);
  }

  async #serve(stream: ClientStream): Promise<void> {
    const { settings, events, now } = this.#options;
    const warn = (text: string): void => events.emit({ kind: 'warning', text });
    const { upstreamProxy } = settings;
    const endpoints =
      upstreamProxy === undefined
        ? endpointsOf(stream.socket)
        : await toldEndpoints(stream, upstreamProxy, { now, warn });
    if (endpoints !== undefined) return new ScreeningSession(stream, endpoints, this.#options).run();
    stream.write('421 4.3.2 No system resources\r\n');
    stream.close();
  }

  /** Lets the tests that run come to their end; resolves when all clients are gone or handed over. */
  drain(): Promise<void> {
    this.#end ??= this.#finish();
    return this.#end;
  }

  async #finish(): Promise<void> {
    this.#cleanup?.stop();
    await Promise.all(this.#sessions);
    this.#options.cache?.close();
  }
}

export function createPostscreen(options: PostscreenOptions): PostscreenServer {
  return new PostscreenServer(options);
}

function openClientCache({ cache }: PostscreenSettings, events: EventChannel): Cache | undefined {
  if (cache === undefined) return undefined;
  return openCache(cache, {
    warn: (text) => events.emit({ kind: 'warning', text }),
    error: (text) => events.emit({ kind: 'error', text }),
  });
}

function startCleanup(
  cache: Cache,
  { cacheCleanupIntervalMs: intervalMs, cacheRetentionSeconds: retentionSeconds, enabled }: PostscreenSettings,
  { events, now }: Pick<ScreeningOptions, 'events' | 'now'>,
): { stop(): void } {
  return keepCacheClean(cache, {
    intervalMs,
    now,
    keeps: (_client, text) => isWorthKeeping(text, enabled, { nowSeconds: Math.floor(now() / 1000), retentionSeconds }),
    onCleaned: (text) => events.emit({ kind: 'note', text }),
  });
}
