/** Answers kept for whoever asks the same soon after: for DNS lists, which are asked of every client. */
import type { DnsAnswer, Resolver } from './answer.ts';

export interface AnswerMemoryOptions {
  /** ms, of a clock that only goes forward. */
  readonly now: () => number;
  /** Nothing is kept longer, whatever its TTL. */
  readonly maxAgeMs: number;
  /** The oldest goes when another comes. */
  readonly maxEntries: number;
}

interface Entry {
  readonly answer: DnsAnswer;
  readonly until: number;
}

/** How long an answer holds, in seconds; trouble is nobody's answer. RFC 2181, 5.2 · RFC 2308, 5 */
function lifetimeOf(answer: DnsAnswer): number {
  switch (answer.kind) {
    case 'ok':
      return Math.min(...answer.records.map(({ ttl }) => ttl));
    case 'noName':
    case 'noData':
      return answer.ttl ?? 0;
    case 'tryAgain':
    case 'failed':
    case 'invalid':
    case 'nullMx':
    case 'filtered':
      return 0;
  }
}

/** A resolver that asks another one only for what it does not know. */
export function rememberAnswers(resolver: Resolver, { now, maxAgeMs, maxEntries }: AnswerMemoryOptions): Resolver {
  const known = new Map<string, Entry>();
  const keep = (key: string, answer: DnsAnswer): void => {
    const lifetimeMs = Math.min(lifetimeOf(answer) * 1000, maxAgeMs);
    known.delete(key);
    if (!(lifetimeMs > 0)) return;
    const [oldest] = known.keys();
    if (known.size >= maxEntries && oldest !== undefined) known.delete(oldest);
    known.set(key, { answer, until: now() + lifetimeMs });
  };
  return {
    async lookup(name, type) {
      const key = `${type} ${name.toLowerCase()}`;
      const found = known.get(key);
      if (found !== undefined && now() < found.until) return found.answer;
      const answer = await resolver.lookup(name, type);
      keep(key, answer);
      return answer;
    },
  };
}
