/** Parameters of dns: name, default, kind, bounds, what replaced it. postconf(5) */
import type { ParameterRow } from '../registry.ts';

export const dnsParameters: readonly ParameterRow[] = [
  ['dns_ncache_ttl_fix_enable', 'no', 'bool'],
  ['dnssec_probe', 'ns:.', 'string'],
];
