/**
 * Routing: recipient → address class, transport, nexthop. trivial-rewrite(8), ADDRESS_CLASS_README
 *
 * In steps: final domain, syntax, class, sender-dependent settings, transport_maps, relocated_maps.
 */
import { domainToAscii, isValidHostName } from '#address';
import { type MaybePromise, whenReady } from '#message';
import { type AddressLookupOptions, findByAddress, type MatchList, type MatchResult, type TableList } from '#tables';
import { findFinalDomain } from './final-domain.ts';
import { literalComplaint } from './literal-complaint.ts';
import { createBareKeyTest } from './local-domain.ts';
import type { AddressClass, Resolution } from './resolution.ts';
import type { ResolveSettings, RewriteSettings, RoutingParameters } from './settings.ts';
import { applyTransportMaps, type Route, splitDestination } from './transport-maps.ts';

/** The tables of one parameter set. */
export interface RoutingTables {
  readonly parameters: RoutingParameters;
  readonly transportMaps: TableList;
  readonly senderDependentRelayhostMaps: TableList;
  readonly senderDependentDefaultTransportMaps: TableList;
}

export interface ResolverParts {
  readonly settings: ResolveSettings;
  readonly rewrite: RewriteSettings;
  readonly isLocalDomain: (domain: string) => MaybePromise<MatchResult>;
  readonly virtualAliasDomains: MatchList;
  readonly virtualMailboxDomains: MatchList;
  readonly relayDomains: MatchList;
  readonly relocatedMaps: TableList;
  readonly warn: (text: string) => void;
}

interface Failed {
  readonly kind: 'failed';
  readonly reason: string;
}

interface ClassRoute {
  readonly kind: 'route';
  readonly addressClass: AddressClass;
  readonly route: Route;
}

/** Domain lists behind mydestination, in order of precedence. */
type ListName = 'virtual_alias_domains' | 'virtual_mailbox_domains' | 'relay_domains';

const badSyntax = (recipient: string): Resolution => ({ kind: 'invalid', reason: 'bad address syntax', recipient });

export class AddressResolver {
  readonly #parts: ResolverParts;
  readonly #tables: RoutingTables;
  readonly #lookupOptions: AddressLookupOptions;
  readonly #lists: readonly (readonly [ListName, MatchList])[];

  constructor(parts: ResolverParts, tables: RoutingTables) {
    this.#parts = parts;
    this.#tables = tables;
    this.#lists = [
      ['virtual_alias_domains', parts.virtualAliasDomains],
      ['virtual_mailbox_domains', parts.virtualMailboxDomains],
      ['relay_domains', parts.relayDomains],
    ];
    const { isLocalDomain, settings } = parts;
    this.#lookupOptions = {
      recipientDelimiter: settings.recipientDelimiter,
      ownerRequestSpecial: settings.ownerRequestSpecial,
      doubleBounceName: settings.doubleBounceName,
      isLocalDomain: createBareKeyTest(isLocalDomain, settings.myorigin),
    };
  }

  /** Addresses in internal form; the recipient in standard form. */
  resolve(sender: string, address: string): MaybePromise<Resolution> {
    const { isLocalDomain, settings, rewrite } = this.#parts;
    const final = findFinalDomain(address, { isLocalDomain, resolve: settings, rewrite });
    return whenReady(final, (found): MaybePromise<Resolution> => {
      if (found.kind === 'failed') return found;
      const { recipient, domain } = found;
      if (!this.#isValidDomain(domain)) return badSyntax(recipient);
      const localPart = recipient.slice(0, recipient.length - domain.length - 1);
      return whenReady(this.#classRoute(sender, domain, found.isLocal), (classified) =>
        classified.kind === 'failed' ? classified : this.#override(recipient, localPart, classified),
      );
    });
  }

  #isValidDomain(domain: string): boolean {
    if (domain.startsWith('[')) return this.#isValidLiteral(domain);
    const ascii = domainToAscii(domain);
    // an IP address without brackets is no host name
    return ascii !== undefined && isValidHostName(ascii);
  }

  #isValidLiteral(domain: string): boolean {
    if (!domain.endsWith(']')) return false;
    const complaint = literalComplaint(domain);
    if (complaint !== undefined) this.#parts.warn(complaint);
    return complaint === undefined;
  }

  /** What the class of the domain says, before any table that overrides it. */
  #classRoute(sender: string, domain: string, isLocal: boolean): MaybePromise<ClassRoute | Failed> {
    const { parameters } = this.#tables;
    if (isLocal) {
      const nag = this.#warnIfInBoth(domain, 'mydestination', ['virtual_alias_domains', 'virtual_mailbox_domains']);
      const route = this.#explicit('local', parameters.localTransport, domain, parameters.names.localTransport);
      return whenReady(nag, () => route);
    }
    return whenReady(this.#listOf(domain), (list): MaybePromise<ClassRoute | Failed> => {
      if (typeof list === 'object') return list;
      switch (list) {
        case 'virtual_alias_domains': {
          const table = this.#parts.settings.namesTableOfUnknown ? ' in virtual alias table' : '';
          const route = { transport: 'error', nexthop: `5.1.1 User unknown${table}` };
          const nag = this.#warnIfInBoth(domain, list, ['virtual_mailbox_domains', 'relay_domains']);
          return whenReady(nag, () => ({ kind: 'route', addressClass: 'virtualAlias', route }));
        }
        case 'virtual_mailbox_domains': {
          const { virtualTransport, names } = parameters;
          const route = this.#explicit('virtualMailbox', virtualTransport, domain, names.virtualTransport);
          return whenReady(this.#warnIfInBoth(domain, list, ['relay_domains']), () => route);
        }
        case 'relay_domains':
          return whenReady(this.#relayNexthop(sender, domain), (nexthop) =>
            typeof nexthop === 'object'
              ? nexthop
              : this.#explicit('relay', parameters.relayTransport, nexthop, parameters.names.relayTransport),
          );
        case 'none':
          return this.#defaultRoute(sender, domain);
      }
    });
  }

  #defaultRoute(sender: string, domain: string): MaybePromise<ClassRoute | Failed> {
    const { parameters, senderDependentDefaultTransportMaps: maps } = this.#tables;
    const { senderDependentDefaultTransportMaps: title } = parameters.names;
    const key = this.#parts.settings.emptyAddressTransportKey;
    return whenReady(this.#bySender(maps, title, sender, key), (transport) => {
      if (typeof transport === 'object') return transport;
      return whenReady(this.#relayNexthop(sender, domain), (nexthop) => {
        if (typeof nexthop === 'object') return nexthop;
        const fromTable = transport !== undefined && transport.toLowerCase() !== 'dunno';
        const blame = fromTable ? title : parameters.names.defaultTransport;
        return this.#explicit('default', fromTable ? transport : parameters.defaultTransport, nexthop, blame);
      });
    });
  }

  /** Nexthop of off-host mail: sender-dependent relayhost, relayhost, or the recipient's domain. */
  #relayNexthop(sender: string, domain: string): MaybePromise<string | Failed> {
    const { parameters, senderDependentRelayhostMaps: maps } = this.#tables;
    const key = this.#parts.settings.emptyAddressRelayhostKey;
    const title = parameters.names.senderDependentRelayhostMaps;
    return whenReady(this.#bySender(maps, title, sender, key), (relayhost) => {
      if (typeof relayhost === 'object') return relayhost;
      if (relayhost !== undefined && relayhost.toLowerCase() !== 'dunno') return relayhost;
      return parameters.relayhost === '' ? domain : parameters.relayhost;
    });
  }

  #bySender(
    maps: TableList,
    title: string,
    sender: string,
    emptyKey: string,
  ): MaybePromise<string | undefined | Failed> {
    if (maps.isEmpty) return undefined;
    const answer = findByAddress(maps, sender === '' ? emptyKey : sender, this.#lookupOptions);
    return whenReady<Awaited<typeof answer>, string | undefined | Failed>(answer, (result) => {
      if (result.kind === 'missing') return undefined;
      return result.kind === 'failed' ? this.#failed(title, result.reason) : result.value;
    });
  }

  /** `transport:nexthop` in a parameter overrides the nexthop. */
  #explicit(addressClass: AddressClass, value: string, nexthop: string, blame: string): ClassRoute | Failed {
    const destination = splitDestination(value);
    if (destination.transport === '') {
      const reason = `parameter ${blame}: null transport is not allowed`;
      this.#parts.warn(reason);
      return { kind: 'failed', reason };
    }
    const route = { transport: destination.transport, nexthop: destination.nexthop || nexthop };
    return { kind: 'route', addressClass, route };
  }

  #listOf(domain: string): MaybePromise<ListName | 'none' | Failed> {
    const search = (from: number): MaybePromise<ListName | 'none' | Failed> => {
      const [name, list] = this.#lists[from] ?? [];
      if (name === undefined || list === undefined) return 'none';
      if (list.isEmpty) return search(from + 1);
      return whenReady(list.matches(domain), (answer): MaybePromise<ListName | 'none' | Failed> => {
        if (answer === 'no') return search(from + 1);
        return answer === 'yes' ? name : this.#failed(name, answer.failed);
      });
    };
    return search(0);
  }

  async #nag(domain: string, first: string, others: readonly (readonly [string, MatchList])[]): Promise<void> {
    for (const [name, list] of others) {
      if ((await list.matches(domain)) === 'yes') {
        this.#parts.warn(`do not list domain ${domain} in BOTH ${first} and ${name}`);
      }
    }
  }

  /** Tells of a domain that is in two lists (helpful_warnings); the first list decides. */
  #warnIfInBoth(domain: string, first: string, names: readonly ListName[]): MaybePromise<void> {
    if (!this.#parts.settings.helpfulWarnings) return;
    const others = this.#lists.filter(([name, list]) => names.includes(name) && !list.isEmpty);
    if (others.length > 0) return this.#nag(domain, first, others);
  }

  /** transport_maps and relocated_maps, and what can't be delivered at all. */
  #override(recipient: string, localPart: string, { addressClass, route }: ClassRoute): MaybePromise<Resolution> {
    const { settings, relocatedMaps } = this.#parts;
    const { parameters, transportMaps } = this.#tables;
    const mapped =
      addressClass === 'virtualAlias'
        ? ({ kind: 'route', route } as const)
        : applyTransportMaps(transportMaps, recipient, route, settings);
    return whenReady(mapped, (result): MaybePromise<Resolution> => {
      if (result.kind === 'failed') return this.#failed(parameters.names.transportMaps, result.reason);
      return whenReady(findByAddress(relocatedMaps, recipient, this.#lookupOptions), (moved): Resolution => {
        if (moved.kind === 'failed') return this.#failed('relocated_maps', moved.reason);
        // Commands could take such a name for an option.
        if (recipient.startsWith('-') && !settings.allowsLeadingMinus) return badSyntax(recipient);
        const { transport, nexthop } =
          moved.kind === 'found'
            ? { transport: 'error', nexthop: settings.relocatedPrefix + moved.value }
            : result.route;
        const routed = /[@!%]/.test(localPart);
        return { kind: 'resolved', addressClass, transport, nexthop, recipient, routed };
      });
    });
  }

  #failed(parameter: string, reason: string): Failed {
    this.#parts.warn(`${parameter} lookup failure`);
    return { kind: 'failed', reason };
  }
}
