/** smtp_dns_reply_filter and its kin: tables that take records out of replies. postconf(5) */
import type { MaybePromise } from '#message';
import type { DnsAnswer, DnsRecord, Resolver } from './answer.ts';
import { lookupReason } from './reasons.ts';

/** What a filter needs of lookup tables (a TableList of #tables fits); `parameter` is named in warnings. */
export interface ReplyFilter {
  readonly parameter: string;
  readonly tables: { lookup(key: string): MaybePromise<FilterResult> };
}
type FilterResult =
  | { readonly kind: 'found'; readonly value: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed'; readonly reason: string };

/** Tells of a record that was dropped, or of a filter that can't be used. */
export interface FilterNotes {
  note(text: string): void;
  warn(text: string): void;
}

/** A resolver whose answers hold only what the filter lets through. */
export function filterReplies(resolver: Resolver, filter: ReplyFilter, notes: FilterNotes): Resolver {
  return {
    async lookup(name, type) {
      const answer = await resolver.lookup(name, type);
      if (answer.kind !== 'ok') return answer;
      const kept: DnsRecord[] = [];
      for (const record of answer.records) {
        const verdict = await judge(record, filter, notes);
        if (verdict === 'broken') return brokenFilter(name, type);
        if (verdict === 'keep') kept.push(record);
      }
      if (kept.length === 0) return { kind: 'filtered', reason: lookupReason(name, type, 'filtered') };
      return { ...answer, records: kept };
    },
  };
}

async function judge(record: DnsRecord, filter: ReplyFilter, notes: FilterNotes): Promise<'keep' | 'drop' | 'broken'> {
  const text = describeRecord(record);
  const found = await filter.tables.lookup(text);
  switch (found.kind) {
    case 'missing':
      return 'keep';
    case 'failed':
      return 'broken';
    case 'found': {
      const action = found.value.trim().toUpperCase();
      if (action === '' || action === 'DUNNO') return 'keep';
      if (action === 'IGNORE') {
        notes.note(`ignoring DNS RR: ${text}`);
        return 'drop';
      }
      notes.warn(`${filter.parameter}: unknown DNS filter action: "${found.value}"`);
      return 'broken';
    }
  }
}

function brokenFilter(name: string, type: string): DnsAnswer {
  return {
    kind: 'tryAgain',
    reason: `Error looking up name=${name} type=${type}: Invalid DNS reply filter syntax`,
  };
}

/** A record as filters see it: `name. ttl IN type value` (postconf(5) smtp_dns_reply_filter). */
function describeRecord(record: DnsRecord): string {
  return `${record.name}. ${record.ttl} IN ${record.type} ${describeValue(record)}`;
}

function describeValue(record: DnsRecord): string {
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return record.address;
    case 'PTR':
    case 'NS':
    case 'CNAME':
      return `${record.host}.`;
    case 'MX':
      return `${record.preference} ${record.host}.`;
    case 'SRV':
      return `${record.priority} ${record.weight} ${record.port} ${record.host}.`;
    case 'TXT':
      return record.text;
    case 'TLSA':
      return `${record.data[0]} ${record.data[1]} ${record.data[2]} ${record.data.subarray(3).toString('hex').toUpperCase()}`;
  }
}
