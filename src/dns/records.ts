/**
 * From the answer section of a reply to records, or the next name of a CNAME chain (RFC 1034, 3.6.2).
 *
 * Names in answers come from strangers: what can't be a host name is not believed (Postfix valid_rr_name).
 */
import type { Answer, DecodedPacket } from 'dns-packet';
import type { DnsRecord, DnsType } from './answer.ts';
import { familyOf, isValidHostName } from '#address';

export type Extract =
  | { readonly kind: 'records'; readonly records: readonly DnsRecord[] }
  | { readonly kind: 'alias'; readonly target: string }
  /** Null MX, which takes precedence over whatever stands beside it. RFC 7505 */
  | { readonly kind: 'nullMx' }
  /** All that came of the type asked for is unusable. */
  | { readonly kind: 'invalid' }
  /** Records came, but none of the type asked for and no alias. */
  | { readonly kind: 'none' };

/** Of more than this the rest is left out: servers of strangers fill 64 KB, and each MX host is a lookup of its own. As Postfix 3.9 */
const maxRecords = 100;

/** Records of one type for a name that was asked for; `warn` gets Postfix's text about names that can't be believed. */
export function extractRecords(
  packet: DecodedPacket,
  name: string,
  type: DnsType,
  warn: (text: string) => void,
): Extract {
  const answers = packet.answers ?? [];
  const records: DnsRecord[] = [];
  let alias: string | undefined;
  let rejected = false;
  for (const answer of answers) {
    if (answer.type === type) {
      const record = toRecord(answer);
      if (record === undefined || !isBelievable(record, name, warn)) {
        rejected = true;
        continue;
      }
      if (record.type === 'MX' && record.host === '') return { kind: 'nullMx' };
      if (records.length === maxRecords) {
        warn(`dropping records after qname=${name} qtype=${type}: more than ${maxRecords}`);
        break;
      }
      records.push(record);
    } else if (answer.type === 'CNAME') {
      alias = withoutDot(answer.data);
      if (!isBelievableName(alias, 'resource data', 'CNAME', name, warn)) return { kind: 'invalid' };
    }
  }
  if (records.length > 0) return { kind: 'records', records };
  if (alias !== undefined) return { kind: 'alias', target: alias };
  return { kind: rejected ? 'invalid' : 'none' };
}

/** How long the absence of a record may be remembered: the SOA record's own time or its last field, the lesser. RFC 2308, 5 */
export function absenceTtl(packet: DecodedPacket): { readonly ttl?: number } {
  for (const record of packet.authorities ?? [])
    if (record.type === 'SOA') return { ttl: Math.min(record.ttl ?? 0, record.data.minimum ?? 0) };
  return {};
}

function withoutDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

function toRecord(answer: Answer): DnsRecord | undefined {
  const name = withoutDot(answer.name);
  if (answer.type === 'A' || answer.type === 'AAAA') {
    return { type: answer.type, name, ttl: answer.ttl ?? 0, address: answer.data };
  }
  if (answer.type === 'PTR' || answer.type === 'NS' || answer.type === 'CNAME') {
    return { type: answer.type, name, ttl: answer.ttl ?? 0, host: withoutDot(answer.data) };
  }
  if (answer.type === 'MX') {
    const { preference, exchange } = answer.data;
    return { type: 'MX', name, ttl: answer.ttl ?? 0, preference: preference ?? 0, host: withoutDot(exchange) };
  }
  if (answer.type === 'SRV') {
    const { priority, weight, port, target } = answer.data;
    const order = { priority: priority ?? 0, weight: weight ?? 0, port };
    return { type: 'SRV', name, ttl: answer.ttl ?? 0, ...order, host: withoutDot(target) };
  }
  if (answer.type === 'TXT') {
    const parts = Array.isArray(answer.data) ? answer.data : [answer.data];
    const text = parts.map((part) => (typeof part === 'string' ? part : part.toString('latin1'))).join('');
    return { type: 'TXT', name, ttl: answer.ttl ?? 0, text: printable(text) };
  }
  if (answer.type === 'TLSA') {
    const { usage, selector, matchingType, certificate } = answer.data;
    const data = Buffer.concat([Buffer.from([usage, selector, matchingType]), certificate]);
    return { type: 'TLSA', name, ttl: answer.ttl ?? 0, data };
  }
  return undefined;
}

/** Bytes outside printable ASCII become `?`: a text record ends in replies and logs. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}

function isBelievable(record: DnsRecord, query: string, warn: (text: string) => void): boolean {
  // the root has no name
  if (record.name !== '' && !isBelievableName(record.name, 'resource name', record.type, query, warn)) return false;
  switch (record.type) {
    case 'PTR':
    case 'NS':
    case 'CNAME':
      return isBelievableName(record.host, 'resource data', record.type, query, warn);
    case 'MX':
    case 'SRV':
      // the root: nothing of the kind is offered. RFC 7505, RFC 2782
      return record.host === '' || isBelievableName(record.host, 'resource data', record.type, query, warn);
    case 'A':
    case 'AAAA':
    case 'TXT':
    case 'TLSA':
      return true;
  }
}

/** A numeric name is odd but usable: an MX host given as an address works as in Postfix. */
function isBelievableName(
  name: string,
  location: string,
  type: DnsType,
  query: string,
  warn: (text: string) => void,
): boolean {
  const isAddress = familyOf(name) !== undefined;
  if (!isAddress && isValidHostName(name)) return true;
  const gripe = isAddress ? 'numeric domain name' : 'malformed domain name';
  warn(`${gripe} in ${location} of ${type} record for ${query}: ${printable(name.slice(0, 100))}`);
  return isAddress;
}
