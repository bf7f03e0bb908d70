import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encode } from 'dns-packet';
import fc from 'fast-check';
import { readReply } from '../../src/dns/exchange.ts';
import { extractRecords } from '../../src/dns/records.ts';

describe('DNS replies from strangers', () => {
  it('never throw, whatever bytes follow the id', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const frame = Buffer.concat([Buffer.from([0x12, 0x34, 0x80]), bytes]);
        const heard = readReply(frame, 0x1234, { name: 'a.example', type: 'MX' });
        if (heard?.kind === 'reply') extractRecords(heard.packet, 'a.example', 'MX', () => {});
      }),
    );
  });

  it('never throw when a sound reply is damaged', () => {
    const sound = encode({
      type: 'response',
      id: 0x1234,
      questions: [{ type: 'MX', name: 'a.example' }],
      answers: [{ type: 'MX', name: 'a.example', ttl: 1, data: { preference: 1, exchange: 'mx.a.example' } }],
    });
    fc.assert(
      fc.property(fc.nat(sound.length - 13), fc.nat(255), (at, byte) => {
        const frame = Buffer.from(sound);
        frame[12 + at] = byte;
        const heard = readReply(frame, 0x1234, { name: 'a.example', type: 'MX' });
        if (heard?.kind === 'reply') {
          const extract = extractRecords(heard.packet, 'a.example', 'MX', () => {});
          assert.ok(extract.kind.length > 0);
        }
      }),
    );
  });
});
