/** Parameters of verify: name, default, kind, bounds, what replaced it. postconf(5) */
import type { ParameterRow } from '../registry.ts';

export const verifyParameters: readonly ParameterRow[] = [
  ['address_verify_cache_cleanup_interval', '12h', 'time:h', { min: 0 }],
  ['address_verify_negative_expire_time', '3d', 'time:d', { min: 1 }],
  ['address_verify_negative_refresh_time', '3h', 'time:h', { min: 1 }],
  ['address_verify_positive_expire_time', '31d', 'time:d', { min: 1 }],
  ['address_verify_positive_refresh_time', '7d', 'time:d', { min: 1 }],
];
