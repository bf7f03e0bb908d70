/** Which address families are in use: inet_protocols, for everything that listens, connects or looks up. postconf(5) */

export type AddressFamily = 'ipv4' | 'ipv6';

const known = ['ipv4', 'ipv6'] as const;

/** IPv4 first. `all`, or nothing at all, is both. */
export function familiesOf(settings: { list(name: string): readonly string[] }): readonly AddressFamily[] {
  const words = settings.list('inet_protocols').map((word) => word.toLowerCase());
  return known.filter((family) => words.length === 0 || words.includes('all') || words.includes(family));
}
