/** Tells once when nobody seems to check signatures: answers would count for nothing, without a word. postconf(5) dnssec_probe */
import type { DnsType, Resolver } from './answer.ts';

/** What is asked to find out: a name that is signed. */
export interface DnssecProbe {
  readonly type: DnsType;
  readonly name: string;
}

const types: readonly DnsType[] = ['A', 'AAAA', 'CNAME', 'MX', 'NS', 'PTR', 'SRV', 'TLSA', 'TXT'];

/** `ns:.`; `off`: nothing is asked. Undefined: it is none. */
export function parseDnssecProbe(text: string): DnssecProbe | 'off' | undefined {
  if (text === '') return 'off';
  const [, word = '', name = ''] = /^([^:\s]+)\s*:\s*(\S+)$/.exec(text) ?? [];
  const type = types.find((known) => known === word.toUpperCase());
  return type === undefined ? undefined : { type, name };
}

/** Asks when an answer comes that is not signed, unless one has come that is. */
export function probingDnssec(resolver: Resolver, probe: DnssecProbe, warn: (text: string) => void): Resolver {
  let isDone = false;
  const ask = async (): Promise<void> => {
    const answer = await resolver.lookup(probe.name, probe.type);
    if (answer.kind === 'ok' && answer.secure) return;
    const isAnswer = answer.kind === 'ok' || answer.kind === 'noName' || answer.kind === 'noData';
    const what = isAnswer ? 'a response that is not DNSSEC validated' : `no response: ${answer.reason}`;
    warn('DNSSEC validation may be unavailable');
    warn(`reason: dnssec_probe '${probe.type.toLowerCase()}:${probe.name}' received ${what}`);
  };
  return {
    async lookup(name, type) {
      const answer = await resolver.lookup(name, type);
      if (isDone || answer.kind !== 'ok') return answer;
      isDone = true;
      if (!answer.secure) await ask();
      return answer;
    },
  };
}
