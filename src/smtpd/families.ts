/** inet_protocols. postconf(5) */
import type { Settings } from '#config';

export type Family = 'ipv4' | 'ipv6';

/** The address families that are in use. */
export function familiesOf(settings: Settings): readonly Family[] {
  const words = settings.list('inet_protocols').map((word) => word.toLowerCase());
  return (['ipv4', 'ipv6'] as const).filter((family) => words.includes('all') || words.includes(family));
}
