/**
 * The sender of probes: address_verify_sender, with address_verify_sender_ttl a time stamp behind its local-part, so
 * that what harvesters pick up is of no use for long. postconf(5)
 */
import { ConfigError } from '#config';

/** Digits and consonants: no words come of it, and no case is lost. */
const digits = '0123456789BCDFGHJKLMNPQRSTVWXYZ';

export interface ProbeSenderOptions {
  /** As written: '' and '<>' are the null sender. */
  readonly sender: string;
  /** 0: no time stamp. */
  readonly ttlMs: number;
  /** Completes the address to standard form. */
  readonly rewrite: (address: string) => string;
}

export interface ProbeSender {
  /** The address for a probe that is sent at `now` (ms since the epoch). */
  make(now: number): string;
  /** Without the time stamp, when it is one that a probe of these days has; undefined otherwise. */
  match(address: string, now: number): string | undefined;
}

export function createProbeSender({ sender, ttlMs, rewrite }: ProbeSenderOptions): ProbeSender {
  if (sender === '' || sender === '<>') {
    return { make: () => '', match: (address) => (address === '' ? '' : undefined) };
  }
  const at = sender.indexOf('@');
  if (at === 0 || at === sender.length - 1) {
    const place = at === 0 ? 'start' : 'end';
    throw new ConfigError([`address_verify_sender: value "${sender}" must not ${place} with '@'`]);
  }
  const [localPart, domain] = at < 0 ? [sender, ''] : [sender.slice(0, at), sender.slice(at)];
  const plain = rewrite(sender);
  const [plainLocal, plainDomain] = splitAtFirst(plain);
  const periodOf = (now: number): number => Math.floor(now / ttlMs);
  return {
    make: (now) => (ttlMs > 0 ? rewrite(localPart + formatStamp(periodOf(now)) + domain) : plain),
    match: (address, now) => {
      const [theirLocal, theirDomain] = splitAtFirst(address);
      if (theirDomain.toLowerCase() !== plainDomain.toLowerCase()) return undefined;
      if (theirLocal.slice(0, plainLocal.length).toLowerCase() !== plainLocal.toLowerCase()) return undefined;
      const stamp = theirLocal.slice(plainLocal.length);
      if (ttlMs <= 0) return stamp === '' ? plain : undefined;
      const period = parseStamp(stamp);
      // an answer may come a period later, from a clock that is ahead
      return period !== undefined && Math.abs(period - periodOf(now)) <= 1 ? plain : undefined;
    },
  };
}

function splitAtFirst(address: string): readonly [localPart: string, domain: string] {
  const at = address.indexOf('@');
  return at < 0 ? [address, ''] : [address.slice(0, at), address.slice(at)];
}

function formatStamp(value: number): string {
  let rest = value;
  let out = '';
  do {
    out = digits.charAt(rest % digits.length) + out;
    rest = Math.floor(rest / digits.length);
  } while (rest > 0);
  return out;
}

function parseStamp(text: string): number | undefined {
  let value = 0;
  for (const char of text) {
    const digit = digits.indexOf(char);
    if (digit < 0) return undefined;
    value = value * digits.length + digit;
  }
  return value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}
