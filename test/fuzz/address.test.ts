import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  addressesOf,
  familyOf,
  formatAddressHeader,
  formatIp,
  parseAddressList,
  parseIp,
  toExternal,
  toInternal,
} from '#address';

const addressText = fc
  .array(fc.constantFrom('a', 'b.c', '@', '<', '>', ',', ':', ';', '(', ')', '"', '\\', '[', ']', ' ', '\n', 'é', '%'))
  .map((pieces) => pieces.join(''));

const mailbox = fc.tuple(fc.stringMatching(/^[a-z][a-z0-9+-]{0,20}$/), fc.domain()).map((parts) => parts.join('@'));
const listEntry = fc.oneof(
  mailbox.map((address) => ({ text: address, addresses: [address] })),
  fc
    .tuple(fc.constantFrom('Al', '"B, ob"', 'é', '"<x@y>" Z', '(note) C'), mailbox)
    .map(([name, address]) => ({ text: `${name} <${address}>`, addresses: [address] })),
  mailbox.map((address) => ({ text: `${address} (of, <x>)`, addresses: [address] })),
  fc.array(mailbox, { minLength: 1, maxLength: 5 }).map((addresses) => ({
    text: `group: ${addresses.join(', ')};`,
    addresses,
  })),
);

const almostIp = fc
  .array(fc.constantFrom('0', '1', '25', '255', '256', 'f', 'ffff', '.', '.', ':', ':', '::', '%', 'x'), {
    maxLength: 16,
  })
  .map((pieces) => pieces.join(''));

describe('addresses of any shape', () => {
  it('are of the family that the system says', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), almostIp, fc.string()), (text) => {
        const family = familyOf(text);
        assert.equal(family === undefined ? 0 : family === 'ipv4' ? 4 : 6, isIP(text), text);
      }),
      { numRuns: 2000 },
    );
  });

  it('are printed, whatever they are, without a line of their own in the header', () => {
    fc.assert(
      fc.property(addressText, (text) => {
        const header = formatAddressHeader('To', parseAddressList(text));
        assert.match(header, /^To: (?:[^\r\n]|\r\n[ \t])*$/, JSON.stringify(text));
      }),
    );
  });

  it('stay what they are when a list of them is printed', () => {
    fc.assert(
      fc.property(fc.array(listEntry, { minLength: 1 }), (entries) => {
        const list = entries.map(({ text }) => text).join(', ');
        const header = formatAddressHeader('To', parseAddressList(list));
        assert.deepEqual(
          addressesOf(parseAddressList(header.slice('To: '.length))),
          entries.flatMap(({ addresses }) => addresses),
        );
      }),
    );
  });

  it('come back from their external form', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ -~é]+$/), fc.domain(), (localPart, domain) => {
        const address = `${localPart.replace(/^@/, 'x')}@${domain}`;
        assert.equal(toInternal(toExternal(address)), address);
      }),
    );
  });

  it('of the Internet come back from their text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const address = parseIp(text);
        assert.ok(address);
        assert.deepEqual(parseIp(formatIp(address)), address);
      }),
    );
  });
});
