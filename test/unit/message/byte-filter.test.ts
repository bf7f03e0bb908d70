import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { unescape } from '#config';
import { byteFilter, filtered } from '#message';

describe('an expansion filter', () => {
  it('puts a mark for each byte that may not pass', () => {
    const filter = byteFilter('abc @.');
    assert.equal(filtered('a@b.c', filter), 'a@b.c');
    assert.equal(filtered('ax$b', filter), 'a__b');
    assert.equal(filtered('ä@b', filter), '__@b');
  });
  it('lets characters pass whose bytes it names', () => {
    assert.equal(filtered('äö', byteFilter('ä')), 'ä\udcc3_');
    assert.equal(filtered('ä!', byteFilter(unescape(String.raw`\303\244`))), 'ä_');
  });
});
