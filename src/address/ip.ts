/** IP addresses and networks as bytes. cidr_table(5), postconf(5) mynetworks */

export interface IpAddress {
  readonly family: 'ipv4' | 'ipv6';
  readonly bytes: Uint8Array;
}

export interface IpNetwork extends IpAddress {
  readonly prefixLength: number;
}

const zero = 0x30;
const nine = 0x39;
const period = 0x2e;

/** Four decimal numbers. Most of what is asked is a host name, which the first character tells. */
function parseV4(text: string): Uint8Array | undefined {
  const first = text.charCodeAt(0);
  if (!(first >= zero && first <= nine) || text.length > 15) return undefined;
  const bytes = new Uint8Array(4);
  let at = 0;
  for (let i = 0; i < 4; i += 1) {
    const start = at;
    let value = 0;
    for (; at - start < 3; at += 1) {
      const digit = text.charCodeAt(at);
      if (!(digit >= zero && digit <= nine)) break;
      value = value * 10 + (digit - zero);
    }
    // inet_pton(3) refuses leading zeros, which others read as octal
    if (at === start || value > 255 || (text.charCodeAt(start) === zero && at - start > 1)) return undefined;
    bytes[i] = value;
    if (i < 3 ? text.charCodeAt(at) !== period : at !== text.length) return undefined;
    at += 1;
  }
  return bytes;
}

function parseGroups(text: string): readonly number[] | undefined {
  if (text === '') return [];
  const out: number[] = [];
  const parts = text.split(':');
  for (let i = 0; i < parts.length; i += 1) {
    const part = parts[i] ?? '';
    if (part.includes('.') && i === parts.length - 1) {
      const v4 = parseV4(part);
      if (v4 === undefined) return undefined;
      out.push(((v4[0] ?? 0) << 8) | (v4[1] ?? 0), ((v4[2] ?? 0) << 8) | (v4[3] ?? 0));
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) out.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return out;
}

function parseV6(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const left = parseGroups(halves[0] ?? '');
  const right = halves.length === 2 ? parseGroups(halves[1] ?? '') : [];
  if (left === undefined || right === undefined) return undefined;
  const gap = 8 - left.length - right.length;
  if (halves.length === 2 ? gap < 1 : gap !== 0) return undefined;
  const groups = [...left, ...Array.from({ length: gap }, () => 0), ...right];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 255]));
}

/** Parses an address without brackets. An IPv4-mapped IPv6 address is the IPv4 address. */
export function parseIp(text: string): IpAddress | undefined {
  if (!text.includes(':')) {
    const bytes = parseV4(text);
    return bytes === undefined ? undefined : { family: 'ipv4', bytes };
  }
  const bytes = parseV6(text);
  if (bytes === undefined) return undefined;
  const isMapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  return isMapped ? { family: 'ipv4', bytes: bytes.subarray(12) } : { family: 'ipv6', bytes };
}

/** The family of an address without brackets, an interface behind it or not (RFC 4007, 11); undefined: it is no address. */
export function familyOf(text: string): IpAddress['family'] | undefined {
  if (!text.includes(':')) return parseV4(text) === undefined ? undefined : 'ipv4';
  return parseV6(text.replace(/%[0-9a-z.:-]+$/i, '')) === undefined ? undefined : 'ipv6';
}

/**
 * The address of a connection's end as the kernel tells it: an IPv4-mapped one is an IPv4 address, and the interface behind
 * a link-local one (`fe80::1%eth0`, RFC 4007, 11) is no part of it in lists, replies and logs.
 */
export function endAddress(told: string): string {
  return told.replace(/%.*$/s, '').replace(/^::ffff:(?=[\d.]+$)/i, '');
}

/** Canonical text (RFC 5952). */
export function formatIp({ family, bytes }: IpAddress): string {
  if (family === 'ipv4') return bytes.join('.');
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)).toString(16));
  let best = { at: -1, length: 1 };
  for (let i = 0; i < 8; i += 1) {
    let length = 0;
    while (groups[i + length] === '0') length += 1;
    if (length > best.length) best = { at: i, length };
  }
  if (best.at < 0) return groups.join(':');
  return `${groups.slice(0, best.at).join(':')}::${groups.slice(best.at + best.length).join(':')}`;
}

/** Whether the first `bits` of two addresses are equal. */
function sharesPrefix(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  const whole = bits >> 3;
  for (let i = 0; i < whole; i += 1) if (a[i] !== b[i]) return false;
  const rest = bits & 7;
  if (rest === 0) return true;
  const mask = (0xff << (8 - rest)) & 0xff;
  return ((a[whole] ?? 0) & mask) === ((b[whole] ?? 0) & mask);
}

export function ipInNetwork(address: IpAddress, network: IpNetwork): boolean {
  return address.family === network.family && sharesPrefix(address.bytes, network.bytes, network.prefixLength);
}

/** The network's address with its host bits cleared. */
export function networkAddress({ family, bytes, prefixLength }: IpNetwork): IpAddress {
  const masked = bytes.map((byte, i) => byte & ((0xff << (8 - Math.min(8, Math.max(0, prefixLength - i * 8)))) & 0xff));
  return { family, bytes: masked };
}

export type CidrResult =
  | { readonly kind: 'ok'; readonly network: IpNetwork }
  /** Not an address pattern at all. */
  | { readonly kind: 'notAnAddress' }
  | { readonly kind: 'bad'; readonly reason: string };

/** As written: an IPv4-mapped address is an IPv6 one. Clients that come that way count as IPv4, so no pattern of such matches one. */
export function parseWrittenIp(text: string): IpAddress | undefined {
  if (!text.includes(':')) return parseIp(text);
  const bytes = parseV6(text);
  return bytes === undefined ? undefined : { family: 'ipv6', bytes };
}

/** Parses `addr`, `net/len`, `[addr]`, `[net]/len`, `[net/len]`. */
export function parseCidr(text: string): CidrResult {
  const match = /^(?:\[([^\]/]+)\](?:\/(\d+))?|\[([^\]/]+)\/(\d+)\]|([^[\]/]+)(?:\/(\d+))?)$/.exec(text);
  const addressText = match?.[1] ?? match?.[3] ?? match?.[5];
  const lengthText = match?.[2] ?? match?.[4] ?? match?.[6];
  const address = addressText === undefined ? undefined : parseWrittenIp(addressText);
  if (address === undefined) return { kind: 'notAnAddress' };
  const all = address.bytes.length * 8;
  const prefixLength = lengthText === undefined ? all : Number(lengthText);
  if (prefixLength > all) return { kind: 'bad', reason: `bad net/mask pattern: "${text}"` };
  const network = { ...address, prefixLength };
  const base = networkAddress(network);
  if (!base.bytes.every((byte, i) => byte === address.bytes[i])) {
    const better = `${formatIp(base)}/${prefixLength}`;
    return {
      kind: 'bad',
      reason: `non-null host address bits in "${text}", perhaps you should use "${better}" instead`,
    };
  }
  return { kind: 'ok', network };
}
