/** resolv.conf(5): which servers to ask, how long to wait, and the search list. */
import { familyOf } from '#address';
import type { NameServer } from './exchange.ts';

export interface ResolvConf {
  readonly servers: readonly NameServer[];
  readonly search: readonly string[];
  readonly timeoutMs: number;
  readonly attempts: number;
  readonly ndots: number;
}

/** At most this many servers are asked (MAXNS of resolv.h). */
const maxServers = 3;

/**
 * Reads the text of resolv.conf; bounds are those of resolver(5). Without servers the local one is asked, without a search
 * list there is the domain of this host.
 */
export function parseResolvConf(text: string, hostname: string): ResolvConf {
  const servers: NameServer[] = [];
  let search: readonly string[] = [hostname.replace(/^[^.]*\.?/, '')];
  const options = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    const first = values[0];
    if (keyword === 'nameserver' && first !== undefined && familyOf(first) !== undefined) {
      servers.push({ address: first, port: 53 });
    } else if (first !== undefined && (keyword === 'search' || keyword === 'domain')) {
      search = keyword === 'search' ? values : [first];
    } else if (keyword === 'options') {
      for (const option of values) {
        const [name = '', value = ''] = option.split(':');
        if (/^\d+$/.test(value)) options.set(name, Number(value));
      }
    }
  }
  return {
    servers: servers.length > 0 ? servers.slice(0, maxServers) : [{ address: '127.0.0.1', port: 53 }],
    search: search.map((domain) => domain.replace(/\.$/, '')).filter((domain) => domain !== ''),
    timeoutMs: Math.min(Math.max(options.get('timeout') ?? 5, 1), 30) * 1000,
    attempts: Math.min(Math.max(options.get('attempts') ?? 2, 1), 5),
    ndots: Math.min(options.get('ndots') ?? 1, 15),
  };
}
