/**
 * Answers whether an address can be delivered to: from the cache, or by a probe. The cache says that a probe is under
 * way, so that no second one is sent; only of an address that is nowhere in it, without a negative cache, each look
 * sends one. verify(8), ADDRESS_VERIFICATION_README
 */
import type { Settings } from '#config';
import type { EventChannel } from '#events';
import type {
  AddressVerification,
  Looks,
  MaybePromise,
  ProbeResult,
  Status,
  SubmissionPort,
  VerifiedAddress,
} from '#message';
import { thrownText } from '#native';
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
  /** Who waits for what is found of an address. */
  readonly #waiters = new Map<string, Set<Waiter>>();

  constructor(options: VerifierOptions) {
    this.#options = options;
    this.#settings = readVerifySettings(options.settings);
  }

  query(asked: string, looks: Looks): MaybePromise<VerifiedAddress | undefined> {
    const address = keyOf(asked);
    const entry = this.#look(address);
    return entry.state === 'pending' && looks.count > 1 ? this.#lookAgain(address, looks) : entry;
  }

  update(probed: string, result: ProbeResult): void {
    const address = keyOf(probed);
    const cache = this.#cache();
    const isKept = result.state === 'deliverable' || this.#settings.cacheNegative;
    const now = this.#options.now();
    if (isKept) {
      const entry = { state: result.state, reason: result.reason, probedAt: 0, updatedAt: now };
      cache.set(address, formatEntry(entry));
    }
    // what the next look would not find
    this.#settle(address, isKept && cache.isBroken !== true ? result : undefined);
  }

  close(): void {
    for (const address of this.#waiters.keys()) this.#settle(address, undefined);
    this.#opened?.cleanup.stop();
    this.#opened?.cache.close();
    this.#opened = undefined;
  }

  /** What is known; when that is nothing, or old, a probe is sent. */
  #look(address: string): Entry {
    const cache = this.#cache();
    const now = this.#options.now();
    const entry = this.#known(cache, address, now);
    if (!isBeingProbed(entry, now) && needsRefresh(entry, now, this.#settings)) this.#probe(cache, address, entry, now);
    return entry;
  }

  /** The looks after the first; what our own probe finds is known at once, what another process finds at the next. */
  async #lookAgain(address: string, { count, delayMs }: Looks): Promise<VerifiedAddress | undefined> {
    const answer = await this.#answerWithin(address, delayMs);
    if (answer !== undefined) return answer;
    const entry = this.#look(address);
    return entry.state === 'pending' && count > 2 ? this.#lookAgain(address, { count: count - 1, delayMs }) : entry;
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
      (error: unknown) => giveUp(thrownText(error)),
    );
  }

  /** The probe is over; undefined: what it found is not to be told. */
  #settle(address: string, result: ProbeResult | undefined): void {
    for (const answer of this.#waiters.get(address) ?? []) answer(result);
  }

  #answerWithin(address: string, ms: number): Promise<ProbeResult | undefined> {
    const waiters = this.#waiters.get(address) ?? new Set<Waiter>();
    this.#waiters.set(address, waiters);
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle(undefined), ms);
      const settle: Waiter = (result) => {
        clearTimeout(timer);
        waiters.delete(settle);
        if (waiters.size === 0) this.#waiters.delete(address);
        resolve(result);
      };
      waiters.add(settle);
    });
  }

  #cache(): Cache {
    if (this.#opened !== undefined) return this.#opened.cache;
    const { events, now } = this.#options;
    const cache = openCache(this.#settings.cache, {
      warn: (text) => events.emit({ kind: 'warning', text }),
      error: (text) => events.emit({ kind: 'error', text }),
    });
    const cleanup = keepCacheClean(cache, {
      intervalMs: this.#settings.cleanupIntervalMs,
      keeps: (_, text) => this.#isKept(text),
      onCleaned: (text) => events.emit({ kind: 'note', text }),
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

/** Postfix probes and remembers addresses without colons. */
function keyOf(address: string): string {
  return address.replaceAll(':', '_');
}
