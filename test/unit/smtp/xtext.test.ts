import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeUtf8Xtext, decodeXtext, encodeXtext } from '#smtp';

describe('xtext', () => {
  it('is undone, unless it is malformed', () => {
    assert.equal(decodeXtext('a+2Bb+3d'), 'a+b=');
    for (const text of ['+', '+2', 'a+zz']) assert.equal(decodeXtext(text), undefined);
    assert.equal(decodeXtext(encodeXtext('a+b=ü c')), 'a+b=ü c');
  });

  it('of UTF-8 addresses has characters by number, and a plus that is one', () => {
    assert.equal(decodeUtf8Xtext(String.raw`a+zz\x{41}\x{1F600}\x`), String.raw`a+zzA😀\x`);
    for (const text of [String.raw`\x{`, String.raw`\x{zz}`, String.raw`\x{41`, String.raw`\x{110000}`]) {
      assert.equal(decodeUtf8Xtext(text), undefined, text);
    }
    assert.equal(decodeUtf8Xtext(String.raw`a\x{0}\x{}\x{d800}`), 'a\uFFFD');
  });
});
