/** The service: standard form and routing with the tables of one configuration. trivial-rewrite(8) */
import type { LocalPartOperators } from '#address';
import type { Settings } from '#config';
import type { MaybePromise } from '#message';
import type { MatchResult, TableOpener } from '#tables';
import { createLocalDomainTest } from './local-domain.ts';
import { ownAddresses, type OwnAddressFacts, systemInterfaces } from './own-addresses.ts';
import type { Resolution } from './resolution.ts';
import { AddressResolver, type RoutingTables } from './resolver.ts';
import { readResolveSettings, readRewriteSettings, type RoutingParameters } from './settings.ts';
import { toStandardForm } from './standard-form.ts';

export interface RewriterOptions {
  readonly settings: Settings;
  readonly tables: TableOpener;
  readonly warn: (text: string) => void;
  /** Interfaces of this machine, asked of the system when absent. */
  readonly facts?: OwnAddressFacts;
}

export interface Rewriter {
  /**
   * The address (internal form) in standard form. Envelope addresses are always `local`. `localPart`: it has no domain,
   * though it may hold an `@`, and where it has operators, as far as that is known from how it was written.
   */
  rewrite(address: string, context: 'local' | 'remote', localPart?: LocalPartOperators): string;
  /** Class, transport and nexthop of a recipient in standard form; `verify`: by the address_verify_* parameters. */
  resolve(sender: string, recipient: string, use?: 'mail' | 'verify'): MaybePromise<Resolution>;
  /** mydestination, or a literal of one of our addresses. */
  isVirtualAliasDomain(domain: string): MaybePromise<MatchResult>;
  isVirtualMailboxDomain(domain: string): MaybePromise<MatchResult>;
  isRelayDomain(domain: string): MaybePromise<MatchResult>;
  /** Addresses (as `formatIp` prints) at which this system receives mail. */
  readonly ownAddresses: ReadonlySet<string>;
}

export function createRewriter({ settings, tables, warn, facts }: RewriterOptions): Rewriter {
  const rewriteSettings = readRewriteSettings(settings);
  const resolveSettings = readResolveSettings(settings);
  const own = ownAddresses(settings, facts ?? systemInterfaces());
  const matchList = (name: string, kind: 'string' | 'domain') => tables.matchList(name, kind, settings.elements(name));
  const isLocalDomain = createLocalDomainTest(matchList('mydestination', 'string'), own);
  const virtualAliasDomains = matchList('virtual_alias_domains', 'string');
  const virtualMailboxDomains = matchList('virtual_mailbox_domains', 'string');
  const relayDomains = matchList('relay_domains', 'domain');
  const parts = {
    settings: resolveSettings,
    rewrite: rewriteSettings,
    isLocalDomain,
    virtualAliasDomains,
    virtualMailboxDomains,
    relayDomains,
    relocatedMaps: tables.listOf('relocated_maps'),
    warn,
  };
  const routing = (parameters: RoutingParameters): RoutingTables => {
    const { names } = parameters;
    return {
      parameters,
      transportMaps: tables.listOf(names.transportMaps, { noSubstitution: true }),
      senderDependentRelayhostMaps: tables.listOf(names.senderDependentRelayhostMaps, {
        noSubstitution: true,
      }),
      senderDependentDefaultTransportMaps: tables.listOf(names.senderDependentDefaultTransportMaps, {
        noSubstitution: true,
      }),
    };
  };
  const tablesOf = { mail: routing(resolveSettings.mail), verify: routing(resolveSettings.verify) };
  const resolvers = {
    mail: new AddressResolver(parts, tablesOf.mail),
    verify: new AddressResolver(parts, tablesOf.verify),
  };
  let isStarted = false;
  /** trivial-rewrite begins by asking for the wildcard; so a table that can't be read is told of at once. */
  const start = (): void => {
    isStarted = true;
    for (const { transportMaps } of Object.values(tablesOf)) void transportMaps.lookup('*');
  };
  return {
    rewrite: (address, context, localPart) =>
      toStandardForm(address, rewriteSettings[context], rewriteSettings, localPart),
    resolve: (sender, recipient, use = 'mail') => {
      if (!isStarted) start();
      return resolvers[use].resolve(sender, recipient);
    },
    isVirtualAliasDomain: (domain) => virtualAliasDomains.matches(domain),
    isVirtualMailboxDomain: (domain) => virtualMailboxDomains.matches(domain),
    isRelayDomain: (domain) => relayDomains.matches(domain),
    ownAddresses: own,
  };
}
