/** The resolver that resolv.conf(5) describes, as it is now: networks come and go while a mail system runs. */
import { hostname } from 'node:os';
import type { Resolver } from './answer.ts';
import { openChangingFile } from './changing-file.ts';
import { parseResolvConf, type ResolvConf } from './resolv-conf.ts';
import { createResolver, type ResolverOptions } from './resolver.ts';

export interface SystemResolver extends Resolver {
  readonly conf: () => ResolvConf;
}

export interface SystemResolverOptions extends Omit<ResolverOptions, 'servers'> {
  readonly path?: string;
  /** ms */
  readonly now?: () => number;
}

/** Asks whom the file names. A missing file means the server on this host, as for resolver(3). */
export function systemResolver(options: SystemResolverOptions = {}): SystemResolver {
  const { path = '/etc/resolv.conf', now = Date.now, ...others } = options;
  const conf = openChangingFile(path, now, (text) => parseResolvConf(text, hostname()));
  return {
    conf,
    ...following(conf, ({ timeoutMs, attempts, servers }) =>
      createResolver({ timeoutMs, attempts, ...others, servers }),
    ),
  };
}

/** Other servers get a resolver of their own; what was asked of the former ones is answered, or not, by those. */
export function following(conf: () => ResolvConf, create: (conf: ResolvConf) => Resolver): Resolver {
  let known: ResolvConf | undefined;
  let resolver: Resolver | undefined;
  return {
    lookup(name, type) {
      const fresh = conf();
      if (resolver === undefined || fresh !== known) {
        known = fresh;
        resolver = create(fresh);
      }
      return resolver.lookup(name, type);
    },
  };
}
