import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type ProxyHeader, ProxyHeaderReader } from '#smtp';

const signature = '\r\n\r\n\0\r\nQUIT\n';

/** Near misses and hits: words, addresses and bytes of both versions, and noise. */
const headerText = fc
  .array(
    fc.oneof(
      fc.constantFrom('PROXY ', 'TCP4 ', 'TCP6 ', '192.0.2.5 ', '2001:db8::1 ', '25 ', '65536 ', '\r\n', '\n', '\0'),
      fc.constantFrom(signature, '\x21\x11\0\x0c', '\x21\x21\0\x24', '\x20\0\0\0', '\x21\x11\x02\0', 'xxxxxxxxxxxx'),
      fc.string({ unit: 'binary-ascii', maxLength: 40 }),
    ),
    { maxLength: 14 },
  )
  .map((parts) => Buffer.from(parts.join(''), 'latin1'));

/** What a reader makes of bytes that come in pieces, and how many it had when it was sure. */
function read(bytes: Buffer, cuts: readonly number[]): ProxyHeader {
  const reader = new ProxyHeaderReader(['ipv4', 'ipv6']);
  const places = [...new Set([...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].toSorted((a, b) => a - b);
  let from = 0;
  for (const place of places) {
    const header = reader.push(bytes.subarray(from, place));
    if (header !== undefined) return header;
    from = place;
  }
  return reader.finish('closed');
}

function sense(header: ProxyHeader): unknown {
  // how much of the input a warning shows depends on how much had come
  return header.kind === 'bad' ? header.warning.split(': ', 2) : header;
}

describe('a haproxy header', () => {
  it('says the same in any split', () => {
    fc.assert(
      fc.property(headerText, fc.array(fc.nat(400), { minLength: 1, maxLength: 8 }), (bytes, cuts) => {
        const whole = read(bytes, []);
        const cut = read(bytes, cuts);
        if (whole.kind === 'bad') assert.equal(cut.kind, 'bad');
        else assert.deepEqual(sense(cut), sense(whole));
      }),
    );
  });

  it('never takes more bytes than there are', () => {
    fc.assert(
      fc.property(headerText, (bytes) => {
        const header = read(bytes, []);
        if (header.kind !== 'bad') assert.ok(header.length <= bytes.length);
      }),
    );
  });

  it('of version 1 is read back as it was written', () => {
    const ip = fc.oneof(
      fc.ipV4().map((address) => ({ word: 'TCP4', address })),
      fc.constant({ word: 'TCP6', address: '2001:db8::5' }),
    );
    fc.assert(
      fc.property(ip, fc.nat(0xffff), fc.nat(0xffff), ({ word, address }, client, server) => {
        const header = read(Buffer.from(`PROXY ${word} ${address} ${address} ${client} ${server}\r\n`), []);
        assert.deepEqual(header.kind === 'proxied' && [header.client, header.server], [
          { address, port: String(client) },
          { address, port: String(server) },
        ]);
      }),
    );
  });
});
