/**
 * Answers whether an address can be delivered to: from the cache, or by a probe. Everybody who asks about an address
 * while its probe is under way waits for the same one. verify(8), ADDRESS_VERIFICATION_README
 */
import type { Settings } from '#config';
import type { EventChannel } from '#events';
import type { AddressVerification, MaybePromise, ProbeResult, Status, SubmissionPort, VerifiedAddress } from '#message';
import { type Cache, keepCacheClean, openCache } from '#tables';
import {
  type Entry,
  formatEntry,
  isBeingProbed,
  isExpired,
  needsRefresh,
  parseEntry,
  unknownAddress,
} from './entry.ts';
import { submitProbe } from './probe.ts';
import type { ProbeSender } from './probe-sender.ts';
import { readVerifySettings, type VerifySettings } from './settings.ts';

export interface VerifierOptions {
  readonly settings: Settings;
  readonly submission: SubmissionPort;
  readonly sender: ProbeSender;
  readonly events: EventChannel;
  readonly now: () => number;
}

export interface Verifier extends AddressVerification {
  close(): void;
}

/** The cache is opened with the first question. */
export function createVerifier(options: VerifierOptions): Verifier {
  return new CachingVerifier(options);
}

interface OpenCache {
  readonly cache: Cache;
  readonly cleanup: { stop(): void };
}

type Waiter = (answer: ProbeResult | undefined) => void;

class CachingVerifier implements Verifier {
  readonly #options: VerifierOptions;
  readonly #settings: VerifySettings;
  #opened: OpenCache | undefined;
  /** Until when a cache that can't be opened is not tried again. */
  #brokenUntil = 0;
  /** Addresses whose probe we sent, and who waits for what comes of it. */
  readonly #probes = new Map<string, { readonly at: number; readonly waiters: Set<Waiter> }>();

  constructor(options: VerifierOptions) {
    this.#options = options;
    this.#settings = readVerifySettings(options.settings);
  }

  query(asked: string, waitMs: number): MaybePromise<VerifiedAddress | undefined> {
    const address = keyOf(asked);
    const cache = this.#cache();
    if (cache === undefined) return undefined;
    const now = this.#options.now();
    const entry = this.#known(cache, address, now);
    const sent = this.#probes.get(address);
    const isUnderWay =
      isBeingProbed(entry, now) || (sent !== undefined && isBeingProbed({ ...entry, probedAt: sent.at }, now));
    if (!isUnderWay && needsRefresh(entry, now, this.#settings)) this.#probe(cache, address, entry, now);
    if (entry.state !== 'pending' || waitMs <= 0) return entry;
    return this.#wait(address, waitMs);
  }

  update(probed: string, result: ProbeResult): void {
    const address = keyOf(probed);
    const isKept = result.state === 'deliverable' || this.#settings.cacheNegative;
    const now = this.#options.now();
    if (isKept) {
      const entry = { state: result.state, reason: result.reason, probedAt: now, updatedAt: now };
      this.#cache()?.set(address, formatEntry(entry));
    }
    this.#settle(address, isKept ? result : undefined);
  }

  close(): void {
    for (const { waiters } of this.#probes.values()) for (const answer of waiters) answer(undefined);
    this.#probes.clear();
    this.#opened?.cleanup.stop();
    this.#opened?.cache.close();
    this.#opened = undefined;
  }

  /** What the cache holds, unless that is too old to count. */
  #known(cache: Cache, address: string, now: number): Entry {
    const text = cache.get(address);
    if (text === undefined) return unknownAddress;
    const entry = parseEntry(text);
    if (entry !== undefined && (isBeingProbed(entry, now) || !isExpired(entry, now, this.#settings))) return entry;
    if (!this.#settings.cacheNegative) cache.delete(address);
    return unknownAddress;
  }

  #probe(cache: Cache, address: string, entry: Entry, now: number): void {
    const { submission, events, sender } = this.#options;
    this.#probes.set(address, { at: now, waiters: new Set() });
    if (entry.updatedAt !== 0 || this.#settings.cacheNegative)
      cache.set(address, formatEntry({ ...entry, probedAt: now }));
    const probe = {
      sender: sender.make(now),
      recipient: address,
      at: now,
      onAliased: ({ reason }: Status): void => this.update(address, { state: 'deliverable', reason }),
    };
    const giveUp = (reason: string): void => {
      events.emit({ kind: 'warning', text: `probe for <${address}>: ${reason}` });
      this.#settle(address, undefined);
    };
    submitProbe(probe, submission, this.#settings).then(
      (refusal) => {
        if (refusal !== undefined) giveUp(refusal);
      },
      (error: unknown) => giveUp(error instanceof Error ? error.message : String(error)),
    );
  }

  /** The probe is over; undefined: what it found is not to be told. */
  #settle(address: string, result: ProbeResult | undefined): void {
    const probe = this.#probes.get(address);
    this.#probes.delete(address);
    for (const answer of probe?.waiters ?? []) answer(result);
  }

  /** Waits for the probe; one that another process sent shows in the cache only. */
  async #wait(address: string, waitMs: number): Promise<VerifiedAddress> {
    const waiters = this.#probes.get(address)?.waiters ?? new Set<Waiter>();
    const answer = await new Promise<ProbeResult | undefined>((resolve) => {
      const timer = setTimeout(() => settle(undefined), waitMs);
      const settle: Waiter = (result) => {
        clearTimeout(timer);
        waiters.delete(settle);
        resolve(result);
      };
      waiters.add(settle);
    });
    if (answer !== undefined) return answer;
    const cache = this.#cache();
    return cache === undefined ? unknownAddress : this.#known(cache, address, this.#options.now());
  }

  #cache(): Cache | undefined {
    if (this.#opened !== undefined) return this.#opened.cache;
    const { events, now } = this.#options;
    if (now() < this.#brokenUntil) return undefined;
    const warn = (text: string): void => events.emit({ kind: 'warning', text });
    const cache = openCache(this.#settings.map, this.#settings.approval, warn);
    if (typeof cache === 'string') {
      warn(cache);
      this.#brokenUntil = now() + brokenMs;
      return undefined;
    }
    const cleanup = keepCacheClean(cache, {
      intervalMs: this.#settings.cleanupIntervalMs,
      keeps: (_, text) => this.#isKept(text),
      onCleaned: ({ retained, dropped }) =>
        events.emit({
          kind: 'note',
          text: `cache ${cache.name} full cleanup: retained=${retained} dropped=${dropped} entries`,
        }),
      now,
    });
    this.#opened = { cache, cleanup };
    return cache;
  }

  #isKept(text: string): boolean {
    const entry = parseEntry(text);
    const now = this.#options.now();
    return entry !== undefined && (isBeingProbed(entry, now) || !isExpired(entry, now, this.#settings));
  }
}

const brokenMs = 60_000;

/** Postfix probes and remembers addresses without colons. */
function keyOf(address: string): string {
  return address.replaceAll(':', '_');
}
