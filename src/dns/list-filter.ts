/** Asking DNS lists: the name of an address in them, and which answers count. postconf(5) reject_rbl_client, postscreen_dnsbl_sites */
import { parseIp } from '#address';

/** For each octet, the ranges it may be in. */
export type AnswerFilter = readonly (readonly (readonly [from: number, to: number])[])[];

function octetRanges(text: string): readonly (readonly [number, number])[] | undefined {
  const inner = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  const ranges = inner.split(';').map((part): readonly [number, number] => {
    const [from = '', to = from] = part.split('..');
    return /^\d{1,3}$/.test(from) && /^\d{1,3}$/.test(to) ? [Number(from), Number(to)] : [1, 0];
  });
  return ranges.every(([from, to]) => from <= to && to <= 255) ? ranges : undefined;
}

/** Undefined when the text is no such pattern. */
export function parseAnswerFilter(text: string): AnswerFilter | undefined {
  const octets = text.match(/\[[^\]]*\]|[^.[\]]+/g) ?? [];
  if (octets.join('.') !== text || octets.length !== 4) return undefined;
  const ranges = octets.map(octetRanges);
  return ranges.every((each) => each !== undefined) ? ranges : undefined;
}

export function answerCounts(filter: AnswerFilter | undefined, address: string): boolean {
  if (filter === undefined) return true;
  return address
    .split('.')
    .every((octet, i) => (filter[i] ?? []).some(([from, to]) => Number(octet) >= from && Number(octet) <= to));
}

/** `2.0.0.127` for an IPv4 address, 32 nibbles for an IPv6 one. */
export function reversedAddress(address: string): string | undefined {
  const parsed = parseIp(address);
  if (parsed === undefined) return undefined;
  const bytes = Array.from(parsed.bytes);
  if (bytes.length === 4) return bytes.toReversed().join('.');
  return bytes
    .flatMap((byte) => [byte >> 4, byte & 15])
    .toReversed()
    .map((nibble) => nibble.toString(16))
    .join('.');
}
