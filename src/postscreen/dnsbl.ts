/** A client's standing with the DNS lists: the sum of the weights of those that know it. postconf(5) postscreen_dnsbl_sites */
import { answerCounts, type DnsAnswer, type Resolver, reversedAddress } from '#dns';
import type { EventChannel } from '#events';
import type { TableList } from '#tables';
import type { DnsblSite } from './dnsbl-sites.ts';

export interface DnsblOptions {
  readonly sites: readonly DnsblSite[];
  readonly timeoutMs: number;
  /** What a refused client is told instead of a list's domain. */
  readonly replyMap: TableList;
  readonly minTtlSeconds: number;
  readonly maxTtlSeconds: number;
  readonly resolver: Resolver;
  readonly events: EventChannel;
  /** Channel of the answers (`postfix/dnsblog`). */
  readonly answerEvents: EventChannel;
}

/** What is known so far. */
export interface Standing {
  readonly score: number;
  /** How long a good result is good for. */
  readonly ttlSeconds: number;
  /** The list with the greatest weight, as clients may know it. */
  readonly worstList: string;
}

export interface DnsblInquiry {
  readonly standing: Standing;
  readonly isDone: boolean;
  /** Resolves when every list has answered or had its time. */
  readonly done: Promise<void>;
}

/** Instead of a domain that may hold a password and could not be mapped, or not yet. */
const unnamedList = 'a DNS list';

export class Dnsbl {
  readonly #options: DnsblOptions;
  /** A domain is asked once, however many elements name it. */
  readonly #sites: ReadonlyMap<string, readonly DnsblSite[]>;
  readonly #running = new Map<string, DnsblInquiry>();

  constructor(options: DnsblOptions) {
    this.#options = options;
    this.#sites = Map.groupBy(options.sites, ({ domain }) => domain);
  }

  /** Connections of one client at the same time share an inquiry. */
  ask(address: string): DnsblInquiry {
    const same = this.#running.get(address);
    if (same !== undefined) return same;
    const inquiry = this.#start(address);
    this.#running.set(address, inquiry);
    void inquiry.done.then(() => this.#running.delete(address));
    return inquiry;
  }

  #start(address: string): DnsblInquiry {
    const { minTtlSeconds, maxTtlSeconds } = this.#options;
    let score = 0;
    let ttl: number | undefined;
    let worst = { weight: 0, name: unnamedList };
    let isDone = false;
    const askOne = async (domain: string, sites: readonly DnsblSite[]): Promise<void> => {
      const { addresses, ttlSeconds } = await this.#lookUp(address, domain);
      if (ttlSeconds !== undefined) ttl = Math.min(ttl ?? ttlSeconds, ttlSeconds);
      const counted = sites.filter(({ filter }) => addresses.some((answer) => answerCounts(filter, answer)));
      if (counted.length === 0) return;
      for (const { weight } of counted) score += weight;
      // other lists may answer meanwhile
      const name = await this.#shownName(domain);
      for (const { weight } of counted) if (weight > worst.weight) worst = { weight, name };
    };
    const done = Promise.all([...this.#sites].map(([domain, sites]) => askOne(domain, sites))).then(() => {
      isDone = true;
    });
    return {
      get standing() {
        const ttlSeconds = Math.max(minTtlSeconds, Math.min(maxTtlSeconds, ttl ?? minTtlSeconds));
        return { score, ttlSeconds, worstList: worst.name };
      },
      get isDone() {
        return isDone;
      },
      done,
    };
  }

  async #lookUp(
    address: string,
    domain: string,
  ): Promise<{ readonly addresses: readonly string[]; readonly ttlSeconds: number | undefined }> {
    const { resolver, events, timeoutMs } = this.#options;
    const name = `${reversedAddress(address) ?? ''}.${domain}`;
    const answered = resolver.lookup(name, 'A').then((answer) => {
      this.#logAnswer(answer, { address, domain, name });
      return answer;
    });
    const answer = await within(answered, timeoutMs);
    if (answer === undefined) {
      events.emit({ kind: 'warning', text: `dnsblog reply timeout ${Math.round(timeoutMs / 1000)}s for ${domain}` });
      return { addresses: [], ttlSeconds: undefined };
    }
    if (answer.kind !== 'ok') return { addresses: [], ttlSeconds: answer.ttl };
    const records = answer.records.flatMap((record) => (record.type === 'A' ? [record] : []));
    return {
      addresses: records.map((record) => record.address),
      ttlSeconds: Math.min(...records.map((record) => record.ttl)),
    };
  }

  /** Also of answers that come too late. */
  #logAnswer(
    answer: DnsAnswer,
    { address, domain, name }: { readonly address: string; readonly domain: string; readonly name: string },
  ): void {
    const { answerEvents } = this.#options;
    if (answer.kind === 'ok') {
      for (const record of answer.records)
        if (record.type === 'A') answerEvents.emit({ kind: 'dnsListed', address, domain, answer: record.address });
    } else if (answer.kind !== 'noName' && answer.kind !== 'noData') {
      const text = `dnsblog_query: lookup error for DNS query ${name}: ${answer.reason}`;
      answerEvents.emit({ kind: 'warning', text });
    }
  }

  /** postscreen_dnsbl_reply_map */
  async #shownName(domain: string): Promise<string> {
    const { replyMap, events } = this.#options;
    const found = await replyMap.lookup(domain);
    if (found.kind === 'found') return found.value;
    if (found.kind === 'missing') return domain;
    events.emit({ kind: 'warning', text: `${found.table.name}:${domain} lookup error` });
    return unnamedList;
  }
}

async function within(answer: Promise<DnsAnswer>, timeoutMs: number): Promise<DnsAnswer | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), timeoutMs);
  try {
    return await Promise.race([answer, promise]);
  } finally {
    clearTimeout(timer);
  }
}
