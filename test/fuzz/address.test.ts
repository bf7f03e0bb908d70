import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  addressesOf,
  familyOf,
  formatAddressList,
  formatIp,
  parseAddressList,
  parseIp,
  toExternal,
  toInternal,
} from '#address';

const addressText = fc
  .array(fc.constantFrom('a', 'b.c', '@', '<', '>', ',', ':', ';', '(', ')', '"', '\\', '[', ']', ' ', '\n', 'é', '%'))
  .map((pieces) => pieces.join(''));

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

  it('print to what parses to the same print', () => {
    fc.assert(
      fc.property(addressText, (text) => {
        const once = formatAddressList(parseAddressList(text));
        assert.equal(typeof once, 'string');
        assert.ok(addressesOf(parseAddressList(once)).length >= 0);
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
