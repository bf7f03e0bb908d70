import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decode, encode } from 'dns-packet';
import { extractRecords } from '../../../src/dns/records.ts';

describe('the records of a reply', () => {
  it('are believed up to the hundredth', () => {
    const answers = Array.from({ length: 300 }, (_, preference) => ({
      type: 'MX' as const,
      name: 'a.example',
      data: { preference, exchange: `mx${preference}.a.example` },
    }));
    const warnings: string[] = [];
    const packet = decode(encode({ type: 'response', id: 1, answers }));
    const found = extractRecords(packet, 'a.example', 'MX', (text) => warnings.push(text));
    assert.equal(found.kind === 'records' && found.records.length, 100);
    assert.deepEqual(warnings, ['dropping records after qname=a.example qtype=MX: more than 100']);
  });
});
