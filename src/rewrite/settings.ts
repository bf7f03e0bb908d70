/** Settings of rewriting and routing, compiled once. */
import { type ExtensionRules, readExtensionRules, type Settings } from '#config';

/** What decides about transport and nexthop; address probes have a set of their own (address_verify_*). */
export interface RoutingParameters {
  readonly localTransport: string;
  readonly virtualTransport: string;
  readonly relayTransport: string;
  readonly defaultTransport: string;
  readonly relayhost: string;
  /** Names of the table parameters, and of the transport parameters for warnings. */
  readonly names: {
    readonly localTransport: string;
    readonly virtualTransport: string;
    readonly relayTransport: string;
    readonly defaultTransport: string;
    readonly transportMaps: string;
    readonly senderDependentRelayhostMaps: string;
    readonly senderDependentDefaultTransportMaps: string;
  };
}

/** Where addresses get their missing parts from; '' adds nothing. */
export interface RewriteContext {
  readonly origin: string;
  readonly domain: string;
}

export interface RewriteSettings {
  readonly local: RewriteContext;
  readonly remote: RewriteContext;
  readonly swapBangpath: boolean;
  readonly percentHack: boolean;
  readonly appendAtMyorigin: boolean;
  readonly appendDotMydomain: boolean;
}

export interface ResolveSettings extends ExtensionRules {
  readonly myhostname: string;
  readonly myorigin: string;
  readonly emptyAddressRecipient: string;
  readonly emptyAddressRelayhostKey: string;
  readonly emptyAddressTransportKey: string;
  readonly opensQuotedLocalParts: boolean;
  readonly dropsNullDomain: boolean;
  readonly bracketsNumericDomain: boolean;
  readonly allowsLeadingMinus: boolean;
  readonly namesTableOfUnknown: boolean;
  readonly relocatedPrefix: string;
  readonly helpfulWarnings: boolean;
  /** transport_maps is in parent_domain_matches_subdomains: `example.com` is for its subdomains too. */
  readonly transportParentsMatch: boolean;
  readonly mail: RoutingParameters;
  readonly verify: RoutingParameters;
}

export function readRewriteSettings(settings: Settings): RewriteSettings {
  const remoteDomain = settings.string('remote_header_rewrite_domain');
  return {
    local: { origin: settings.string('myorigin'), domain: settings.string('mydomain') },
    remote: { origin: remoteDomain, domain: remoteDomain },
    swapBangpath: settings.bool('swap_bangpath'),
    percentHack: settings.bool('allow_percent_hack'),
    appendAtMyorigin: settings.bool('append_at_myorigin'),
    appendDotMydomain: settings.bool('append_dot_mydomain'),
  };
}

export function readResolveSettings(settings: Settings): ResolveSettings {
  return {
    myhostname: settings.string('myhostname'),
    myorigin: settings.string('myorigin'),
    emptyAddressRecipient: settings.string('empty_address_recipient'),
    emptyAddressRelayhostKey: settings.string('empty_address_relayhost_maps_lookup_key'),
    emptyAddressTransportKey: settings.string('empty_address_default_transport_maps_lookup_key'),
    opensQuotedLocalParts: settings.bool('resolve_dequoted_address'),
    dropsNullDomain: settings.bool('resolve_null_domain'),
    bracketsNumericDomain: settings.bool('resolve_numeric_domain'),
    allowsLeadingMinus: settings.bool('allow_min_user'),
    namesTableOfUnknown: settings.bool('show_user_unknown_table_name'),
    relocatedPrefix: settings.bool('relocated_prefix_enable') ? '5.1.6 User has moved to ' : '',
    helpfulWarnings: settings.bool('helpful_warnings'),
    ...readExtensionRules(settings),
    transportParentsMatch: settings.list('parent_domain_matches_subdomains').includes('transport_maps'),
    mail: readRouting(settings, ''),
    verify: readRouting(settings, 'address_verify_'),
  };
}

function readRouting(settings: Settings, prefix: '' | 'address_verify_'): RoutingParameters {
  const names = {
    localTransport: `${prefix}local_transport`,
    virtualTransport: `${prefix}virtual_transport`,
    relayTransport: `${prefix}relay_transport`,
    defaultTransport: `${prefix}default_transport`,
    transportMaps: `${prefix}transport_maps`,
    senderDependentRelayhostMaps: `${prefix}sender_dependent_relayhost_maps`,
    senderDependentDefaultTransportMaps: `${prefix}sender_dependent_default_transport_maps`,
  };
  return {
    localTransport: settings.string(names.localTransport),
    virtualTransport: settings.string(names.virtualTransport),
    relayTransport: settings.string(names.relayTransport),
    defaultTransport: settings.string(names.defaultTransport),
    relayhost: settings.string(`${prefix}relayhost`),
    names,
  };
}
