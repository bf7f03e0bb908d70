/** Short names, completed with the search list of resolv.conf(5). resolver(3), RES_DEFNAMES and RES_DNSRCH */
import type { DnsAnswer, Resolver } from './answer.ts';
import type { ResolvConf } from './resolv-conf.ts';

export interface SearchOptions {
  readonly conf: () => Pick<ResolvConf, 'search' | 'ndots'>;
  /** Names without a dot get the first domain. */
  readonly defaultDomain: boolean;
  /** Names with a dot are tried in every domain, and so are those without one that get any. */
  readonly searchAll: boolean;
}

/** The names to ask for, in order; the name itself is one of them. */
export function candidatesFor(name: string, { conf, defaultDomain, searchAll }: SearchOptions): readonly string[] {
  if (name.endsWith('.')) return [name];
  const { search, ndots } = conf();
  const dots = name.split('.').length - 1;
  const isSearched = dots === 0 ? defaultDomain : searchAll;
  const domains = isSearched ? search.slice(0, searchAll ? undefined : 1) : [];
  const full = domains.map((domain) => `${name}.${domain}`);
  return dots >= ndots ? [name, ...full] : [...full, name];
}

/** A resolver that completes names (smtp_dns_resolver_options). What is not found anywhere is not found as it is. */
export function withSearch(resolver: Resolver, options: SearchOptions): Resolver {
  return {
    async lookup(name, type) {
      let own: DnsAnswer | undefined;
      for (const candidate of candidatesFor(name, options)) {
        const answer = await resolver.lookup(candidate, type);
        if (answer.kind !== 'noName' && answer.kind !== 'noData') return answer;
        if (candidate === name) own = answer;
      }
      return own ?? resolver.lookup(name, type);
    },
  };
}
