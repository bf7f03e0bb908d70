/**
 * In which order the addresses of a destination are tried: by preference, equals in random order, the preferred family first
 * among equals, families balanced within the limit. RFC 5321, 5.1
 */
import { familyOf } from '#address';
import type { LookupTools, ServerAddress } from './addresses.ts';

/** As they are to be tried. */
export function ordered(
  { settings, random }: Pick<LookupTools, 'settings' | 'random'>,
  addresses: readonly ServerAddress[],
): readonly ServerAddress[] {
  if (addresses.length < 2) return addresses;
  const shuffled = [...addresses];
  if (settings.randomizeAddresses) {
    for (let last = shuffled.length - 1; last > 0; last--) {
      const pick = Math.floor(random() * (last + 1));
      const [one, other] = [shuffled[last], shuffled[pick]];
      if (one !== undefined && other !== undefined) [shuffled[last], shuffled[pick]] = [other, one];
    }
  }
  const preferred = settings.addressPreference;
  const familyRank = ({ address }: ServerAddress): number =>
    preferred === 'any' || (preferred === 'ipv6') === (familyOf(address) === 'ipv6') ? 0 : 1;
  const sorted = shuffled.toSorted((a, b) => a.preference - b.preference || familyRank(a) - familyRank(b));
  return settings.balanceFamilies ? balanced(sorted, settings.mxAddressLimit) : sorted;
}

/** Makes sure that one family can't use up all the addresses that will be tried (smtp_balance_inet_protocols). */
function balanced(addresses: readonly ServerAddress[], limit: number): readonly ServerAddress[] {
  if (limit <= 1 || addresses.length <= limit) return addresses;
  const isV6 = ({ address }: ServerAddress): boolean => familyOf(address) === 'ipv6';
  const v6 = addresses.filter(isV6).length;
  const v4 = addresses.length - v6;
  if (v6 === 0 || v4 === 0) return addresses;
  // the scarcer family gets its places, at most half of them
  const half = Math.floor(limit / 2);
  const keep6 = v6 <= half ? v6 : v4 <= half ? limit - v4 : half;
  const keep4 = limit - keep6;
  let left6 = keep6;
  let left4 = keep4;
  return addresses.filter((one) => (isV6(one) ? left6-- > 0 : left4-- > 0));
}
