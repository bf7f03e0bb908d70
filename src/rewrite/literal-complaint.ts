/**
 * What is wrong with the address in brackets of `user@[192.0.2.1]`, as trivial-rewrite's log has it.
 *
 * Postfix reads such addresses by rules of its own: leading zeros will do, and so will too few fields.
 */

/** The complaint about a domain in brackets; undefined when it will do. RFC 5321, 4.1.3 */
export function literalComplaint(domain: string): string | undefined {
  const inside = domain.slice(1, domain.endsWith(']') ? -1 : undefined);
  return /^ipv6:/i.test(inside) ? complaintOf6(inside.slice('ipv6:'.length)) : complaintOf4(inside);
}

const clip = (text: string): string => text.slice(0, 100);

function complaintOf4(address: string): string | undefined {
  const complain = (what: string): string => `valid_ipv4_hostaddr: ${what}: ${clip(address)}`;
  const isUnset = /^[0.]*$/.test(address);
  let octets = 0;
  let value: number | undefined;
  for (let index = 0; index < address.length; index += 1) {
    const character = address.charAt(index);
    if (character >= '0' && character <= '9') {
      if (value === undefined) octets += 1;
      value = (value ?? 0) * 10 + Number(character);
      if (value > 255) return complain('invalid octet value');
    } else if (character === '.') {
      if (value === undefined || index === address.length - 1) return complain('misplaced dot');
      if (octets === 1 && value === 0 && !isUnset) return complain('bad initial octet value');
      value = undefined;
    } else return complain(`invalid character ${address.codePointAt(index)}(decimal)`);
  }
  return octets === 4 ? undefined : complain('invalid octet count');
}

function complaintOf6(address: string): string | undefined {
  const complain = (what: string): string => `valid_ipv6_hostaddr: ${what}: ${clip(address)}`;
  let colons = 0;
  /** Colons up to the `::`. */
  let gapAt = 0;
  let digits = '';
  let at = 0;
  while (at < address.length) {
    const character = address.charAt(at);
    if (character === '.') {
      const isPlace = colons >= 2 && colons <= 6;
      return isPlace ? complaintOf4(address.slice(at - digits.length)) : complain('malformed IPv4-in-IPv6 address');
    }
    if (character === ':') {
      if (at === 0 && address.charAt(1) !== ':') return complain('bad null first field in IPv6 address');
      colons += 1;
      if (colons > 7) return complain("too many `:' in IPv6 address");
      digits = '';
      at += 1;
      if (address.charAt(at) !== ':') continue;
      if (gapAt > 0) return complain("too many `::' in IPv6 address");
      gapAt = colons;
      continue;
    }
    digits = /^[0-9a-f]+/i.exec(address.slice(at))?.[0] ?? '';
    if (digits === '') return complain(`invalid character ${address.codePointAt(at)}(decimal) in IPv6 address`);
    if (digits.length > 4) return complain('malformed IPv6 address');
    at += digits.length;
  }
  if (colons < 2) return complain("too few `:' in IPv6 address");
  return digits === '' && gapAt !== colons - 1 ? complain('bad null last field in IPv6 address') : undefined;
}
