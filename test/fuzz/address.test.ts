import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { addressesOf, formatAddressList, formatIp, parseAddressList, parseIp, toExternal, toInternal } from '#address';

const addressText = fc
  .array(fc.constantFrom('a', 'b.c', '@', '<', '>', ',', ':', ';', '(', ')', '"', '\\', '[', ']', ' ', '\n', 'é', '%'))
  .map((pieces) => pieces.join(''));

describe('addresses of any shape', () => {
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
