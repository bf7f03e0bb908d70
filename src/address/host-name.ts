/** What a host name and an address literal may look like. RFC 1034, 3.5 · RFC 5321, 4.1.3 */
import { type IpAddress, parseIp } from './ip.ts';

const MAX_NAME_LENGTH = 255;
const MAX_LABEL_LENGTH = 63;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/i;
/** Labels of no more than their length, which are not all of digits. */
const NAME = /^(?![0-9.]*$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/i;

/**
 * Whether a name could be a host's: labels of letters, digits, `_` and inner hyphens, not all digits and dots.
 * A trailing dot is not allowed. ASCII only: names beyond it go through `domainToAscii` first.
 */
export function isValidHostName(name: string): boolean {
  return name.length <= MAX_NAME_LENGTH && NAME.test(name);
}

/** What is wrong with a name that can't be a host's, in Postfix's words; undefined when nothing is. */
export function hostNameProblem(name: string): string | undefined {
  if (isValidHostName(name)) return undefined;
  if (name === '') return 'empty hostname';
  const odd = /[^a-z0-9_.-]/i.exec(name)?.[0];
  if (odd !== undefined) return `invalid character ${odd.codePointAt(0)}(decimal): ${name.slice(0, 100)}`;
  const labels = name.split('.');
  const what = labels.some((label) => label.length > MAX_LABEL_LENGTH)
    ? 'hostname label too long'
    : labels.includes('')
      ? 'misplaced delimiter'
      : labels.some((label) => !LABEL.test(label))
        ? 'misplaced hyphen'
        : !/[^0-9.]/.test(name)
          ? 'numeric hostname'
          : 'bad length';
  return `${what}: ${name.slice(0, 100)}`;
}

/** Whether a domain is an address literal with a good address: `[192.0.2.1]` or `[IPv6:2001:db8::1]`. */
export function isAddressLiteral(domain: string): boolean {
  return parseAddressLiteral(domain) !== undefined;
}

/** The address of `[192.0.2.1]` or `[IPv6:2001:db8::1]`; undefined for anything else. */
export function parseAddressLiteral(domain: string): IpAddress | undefined {
  if (!domain.startsWith('[') || !domain.endsWith(']')) return undefined;
  const inner = domain.slice(1, -1);
  const isIpv6 = /^ipv6:/i.test(inner);
  const text = isIpv6 ? inner.slice('IPv6:'.length) : inner;
  return isIpv6 === text.includes(':') ? parseIp(text) : undefined;
}
