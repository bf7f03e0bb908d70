/** What restrictions ask of the settings for each client, read once. postconf(5) */
import { type ExtensionRules, readExtensionRules, type Settings } from '#config';
import type { ByteFilter } from '#message';
import { expansionFilter } from '#smtp';

/** How subdomains match. parent_domain_matches_subdomains */
export type KeyStyle = 'parents' | 'dotted';

export interface RestrictionSettings {
  readonly allowsUntrustedRouting: boolean;
  readonly extension: ExtensionRules;
  readonly keyStyle: KeyStyle;
  /** access_map_reject_code, access_map_defer_code. */
  readonly accessCodes: { readonly reject: number; readonly defer: number };
  readonly hasProxyFilter: boolean;
  readonly dnsListReply: {
    /** maps_rbl_reject_code. */
    readonly code: number;
    /** default_rbl_reply. */
    readonly standard: string;
    /** smtpd_expansion_filter. */
    readonly filter: ByteFilter;
    readonly myhostname: string;
  };
  /** Attributes that every policy server is told. */
  readonly policyAttributes: {
    readonly stress: string;
    readonly compatibilityLevel: string;
    readonly mailVersion: string;
  };
}

export function readRestrictionSettings(settings: Settings): RestrictionSettings {
  const hasParents = settings.list('parent_domain_matches_subdomains').includes('smtpd_access_maps');
  return {
    allowsUntrustedRouting: settings.bool('allow_untrusted_routing'),
    extension: readExtensionRules(settings),
    keyStyle: hasParents ? 'parents' : 'dotted',
    accessCodes: { reject: settings.int('access_map_reject_code'), defer: settings.int('access_map_defer_code') },
    hasProxyFilter: settings.string('smtpd_proxy_filter') !== '',
    dnsListReply: {
      code: settings.int('maps_rbl_reject_code'),
      standard: settings.string('default_rbl_reply'),
      filter: expansionFilter(settings.string('smtpd_expansion_filter')),
      myhostname: settings.string('myhostname'),
    },
    policyAttributes: {
      stress: settings.string('stress'),
      compatibilityLevel: settings.string('compatibility_level'),
      mailVersion: settings.string('mail_version'),
    },
  };
}
