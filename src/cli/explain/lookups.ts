/** Questions to tables, lists and DNS as a report shows them. */
import type { DnsAnswer } from '#dns';
import type { RehearsalOnlooker } from '#roles';
import type { Lookup } from './report.ts';

export function lookupOf(...[question, asker]: Parameters<RehearsalOnlooker['table']>): Lookup {
  if (question.kind === 'table') {
    const { table, key, result } = question;
    const answer = result.kind === 'found' ? result.value : result.kind === 'failed' ? result.reason : '';
    return { kind: 'table', asker, where: table, key, found: result.kind === 'found', answer };
  }
  const { parameter, keys, element, result } = question;
  const key = keys.filter((word) => word !== '').join(', ');
  const answer = typeof result === 'object' ? result.failed : (element ?? '');
  return { kind: 'list', asker, where: parameter, key, found: result === 'yes', answer };
}

type DnsRecord = (DnsAnswer & { readonly kind: 'ok' })['records'][number];

export function recordText(record: DnsRecord): string {
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return record.address;
    case 'MX':
      return `${record.preference} ${record.host}`;
    case 'TXT':
      return `"${record.text}"`;
    case 'SRV':
      return `${record.priority} ${record.weight} ${record.port} ${record.host}`;
    case 'TLSA':
      return record.data.toString('hex');
    case 'PTR':
    case 'NS':
    case 'CNAME':
      return record.host;
  }
}
