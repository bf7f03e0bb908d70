import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { byteLengthOf, bytesOf, markedBytes, textOf } from '#message';

describe('bytes as text', () => {
  it('are UTF-8 where they are', () => {
    const text = 'Grüße, \u{20ac}\u{1f4e7}\ufeff\0';
    assert.equal(textOf(Buffer.from(text)), text);
    assert.deepEqual(bytesOf(text), Buffer.from(text));
  });

  it('keep characters beside bytes that are none', () => {
    assert.equal(textOf(Buffer.from('\xe4 \xc3\xbc\xf0\x9f\x93\xa7', 'latin1')), '\udce4 ü\u{1f4e7}');
    assert.deepEqual(bytesOf('ü\udce4\u{1f4e7}'), Buffer.from('\xc3\xbc\xe4\xf0\x9f\x93\xa7', 'latin1'));
  });

  it('are bytes where characters are cut, too long, surrogates or too large', () => {
    for (const bytes of [
      '\xc3',
      '\xe2\x82',
      '\xf0\x9f\x93',
      '\xc0\xaf',
      '\xe0\x80\xaf',
      '\xed\xa0\x80',
      '\xf4\x90\x80\x80',
    ])
      assert.equal(markedBytes(textOf(Buffer.from(bytes, 'latin1')), '?'), '?'.repeat(bytes.length));
  });

  it('become one character when their halves come together', () => {
    const [first, second] = [Buffer.from([0xc3]), Buffer.from([0xa4])];
    assert.equal(bytesOf(textOf(first) + textOf(second)).toString(), 'ä');
  });

  it('have the length that they have', () => {
    assert.deepEqual(['a', 'ä', '\udce4ä'].map(byteLengthOf), [1, 2, 3]);
  });
});
