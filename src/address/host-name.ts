/** Host names and address literals. RFC 1123, 2.1; RFC 5321, 4.1.3; valid_hostname(3) in Postfix */
import { type IpAddress, parseIp } from './ip.ts';

/** Letters, digits, `-` and `_` in labels of 1 to 63, 255 in all; not a bare number. */
export function isValidHostName(name: string): boolean {
  if (name.length === 0 || name.length > 255) return false;
  if (/^[\d.]+$/.test(name)) return false;
  return name
    .split('.')
    .every((label) => /^[\w-]{1,63}$/.test(label) && !label.startsWith('-') && !label.endsWith('-'));
}

/** The address in `[192.0.2.1]` or `[IPv6:2001:db8::1]`; undefined for anything else. */
export function parseAddressLiteral(text: string): IpAddress | undefined {
  const inner = /^\[(?:IPv6:)?([^\]]+)\]$/i.exec(text)?.[1];
  return inner === undefined ? undefined : parseIp(inner);
}

export function isAddressLiteral(text: string): boolean {
  return text.startsWith('[') && text.endsWith(']');
}

/** The domain in its ASCII form (RFC 5891); undefined when it has none. */
export function domainToAscii(domain: string): string | undefined {
  // oxlint-disable-next-line no-control-regex -- ASCII is the whole question
  if (/^[\x00-\x7f]*$/.test(domain)) return domain;
  try {
    return new URL(`http://${domain}`).hostname;
  } catch {
    return undefined; // not a domain at all
  }
}
